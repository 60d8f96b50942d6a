// Puts the code of the moment on the page, twice a second a new countdown, and a QR code only where
// the time step is another. The phone's clock is all that it needs; it speaks to nobody.

var QUIET = 4;
var SOON_S = 7;

function byId(id) {
    return document.getElementById(id);
}

function twoDigits(number) {
    return (number < 10 ? "0" : "") + number;
}

function localTime(seconds) {
    var at = new Date(seconds * 1000);
    return at.getFullYear() + "-" + twoDigits(at.getMonth() + 1) + "-" + twoDigits(at.getDate()) +
        " " + twoDigits(at.getHours()) + ":" + twoDigits(at.getMinutes());
}

// All dark modules as one path, a run of them in a row at a time.
function pathOf(grid) {
    return grid.map(function (row, y) {
        var path = "";
        row.join("").replace(/1+/g, function (run, x) {
            path += "M" + (x + QUIET) + " " + (y + QUIET) + "h" + run.length + "v1h-" + run.length + "z";
            return run;
        });
        return path;
    }).join("");
}

// Whole points of the screen for each module, so that all of them are alike.
function fit(picture) {
    var modules = SIDE + 2 * QUIET;
    var density = window.devicePixelRatio || 1;
    var width = Math.min(document.documentElement.clientWidth, 560);
    var side = Math.max(1, Math.floor(width * density / modules)) * modules / density;
    picture.setAttribute("width", side);
    picture.setAttribute("height", side);
}

function standing(seconds, from, until) {
    return seconds < from ? "early" : seconds >= until ? "ended" : "valid";
}

function showPass() {
    var pass = byId("pass");
    var signed = pass.getAttribute("data-text");
    var secret = bytesOfHex(pass.getAttribute("data-secret"));
    var from = Number(pass.getAttribute("data-from"));
    var until = Number(pass.getAttribute("data-until"));
    var shown = null;

    function draw(step) {
        byId("modules").setAttribute("d", pathOf(qrGrid(textAt(signed, secret, step))));
        shown = step;
    }

    function tick() {
        var now = Date.now();
        var left = STEP_S - Math.floor(now / 1000) % STEP_S;
        pass.className = standing(now / 1000, from, until) + (left <= SOON_S ? " soon" : "");
        byId("left").value = left;
        byId("seconds-zh").textContent = byId("seconds-en").textContent = String(left);
        if (stepAt(now) !== shown) {
            draw(stepAt(now));
        }
    }

    byId("from").textContent = localTime(from);
    byId("until").textContent = localTime(until);
    byId("zone").hidden = true;
    byId("without-script").hidden = true;
    byId("with-script").hidden = false;
    fit(byId("code"));
    window.addEventListener("resize", function () { fit(byId("code")); });
    document.addEventListener("visibilitychange", tick);
    window.setInterval(tick, 500);
    tick();
}

// Where the browser allows it, the screen stays on while the page is looked at.
function stayAwake() {
    if (document.visibilityState === "visible" && navigator.wakeLock) {
        navigator.wakeLock.request("screen").then(null, function () { return null; });
    }
}

if (typeof document !== "undefined") {
    showPass();
    stayAwake();
    document.addEventListener("visibilitychange", stayAwake);
}
