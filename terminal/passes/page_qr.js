// One size of QR code (ISO/IEC 18004): version 7, level M, alphanumeric, 45 modules wide. It holds 178
// letters; a rotating pass has 166. A grid is rows of 1 (dark) and 0, and null where nothing is yet.

var SIDE = 45;
var DATA_WORDS = 124;
var BLOCKS = 4;
var CHECK_WORDS = 18;
var ALIGNMENT = [6, 22, 38];
var VERSION_BITS = 0x07c94;

var POWERS = [];
var LOGARITHMS = [];

(function () {
    var value = 1;
    var i;
    for (i = 0; i < 255; i += 1) {
        POWERS[i] = value;
        LOGARITHMS[value] = i;
        value = value * 2 > 255 ? (value * 2) ^ 0x11d : value * 2;
    }
}());

function product(one, other) {
    return one && other ? POWERS[(LOGARITHMS[one] + LOGARITHMS[other]) % 255] : 0;
}

function generator() {
    var factors = [1];
    var i;
    function raised(root) {
        return factors.concat([0]).map(function (factor, at) {
            return factor ^ (at ? product(factors[at - 1], root) : 0);
        });
    }
    for (i = 0; i < CHECK_WORDS; i += 1) {
        factors = raised(POWERS[i]);
    }
    return factors;
}

function checkWords(words, factors) {
    var rest = words.slice();
    var first, i;
    while (rest.length < words.length + CHECK_WORDS) {
        rest.push(0);
    }
    while (rest.length > CHECK_WORDS) {
        first = rest.shift();
        for (i = 0; i < CHECK_WORDS; i += 1) {
            rest[i] ^= product(factors[i + 1], first);
        }
    }
    return rest;
}

function bitsOf(number, count) {
    var bits = [];
    while (bits.length < count) {
        bits.unshift(number & 1);
        number >>>= 1;
    }
    return bits;
}

function textBits(text) {
    var bits = bitsOf(2, 4).concat(bitsOf(text.length, 9));
    var i;
    for (i = 0; i + 1 < text.length; i += 2) {
        bits = bits.concat(
            bitsOf(LETTERS.indexOf(text.charAt(i)) * 45 + LETTERS.indexOf(text.charAt(i + 1)), 11)
        );
    }
    return i < text.length ? bits.concat(bitsOf(LETTERS.indexOf(text.charAt(i)), 6)) : bits;
}

function dataWords(text) {
    var bits = textBits(text).concat([0, 0, 0, 0]);
    var words = [];
    var i;
    while (bits.length % 8) {
        bits.push(0);
    }
    for (i = 0; i < bits.length; i += 8) {
        words.push(parseInt(bits.slice(i, i + 8).join(""), 2));
    }
    for (i = 0; words.length < DATA_WORDS; i += 1) {
        words.push(i % 2 ? 0x11 : 0xec);
    }
    return words;
}

function interleaved(lists) {
    var woven = [];
    lists[0].forEach(function (ignored, at) {
        lists.forEach(function (list) { woven.push(list[at]); });
    });
    return woven;
}

function allWords(text) {
    var words = dataWords(text);
    var factors = generator();
    var size = DATA_WORDS / BLOCKS;
    var blocks = [];
    var i;
    for (i = 0; i < BLOCKS; i += 1) {
        blocks.push(words.slice(i * size, (i + 1) * size));
    }
    return interleaved(blocks).concat(interleaved(blocks.map(function (block) {
        return checkWords(block, factors);
    })));
}

// Rings around a middle: a finder has its light ring outside, an alignment pattern has none there.
function drawRings(grid, row, column, reach) {
    var y, x, ring;
    for (y = -reach; y <= reach; y += 1) {
        for (x = -reach; x <= reach; x += 1) {
            ring = Math.max(Math.abs(y), Math.abs(x));
            if (row + y >= 0 && row + y < SIDE && column + x >= 0 && column + x < SIDE) {
                grid[row + y][column + x] = reach === 4 ? +(ring !== 2 && ring !== 4) : +(ring !== 1);
            }
        }
    }
}

function drawVersion(grid) {
    bitsOf(VERSION_BITS, 18).reverse().forEach(function (bit, i) {
        var along = Math.floor(i / 3);
        var across = SIDE - 11 + i % 3;
        grid[along][across] = bit;
        grid[across][along] = bit;
    });
}

function formatBits(mask) {
    var rest = mask << 10;
    var i;
    for (i = 4; i >= 0; i -= 1) {
        rest ^= (rest >>> (i + 10)) & 1 ? 0x537 << i : 0;
    }
    return ((mask << 10) | rest) ^ 0x5412;
}

// Twice: around the finder at the top left, and along the two others (level M is 00).
function drawFormat(grid, mask) {
    bitsOf(formatBits(mask), 15).reverse().forEach(function (bit, i) {
        var skipped = i < 6 ? i : i + 1;
        grid[i < 8 ? skipped : SIDE - 15 + i][8] = bit;
        grid[8][i < 8 ? SIDE - 1 - i : 15 - skipped + (i === 8 ? 1 : 0)] = bit;
    });
    grid[SIDE - 8][8] = 1;
}

function emptyGrid() {
    var grid = [];
    var row;
    while (grid.length < SIDE) {
        row = [];
        while (row.length < SIDE) {
            row.push(null);
        }
        grid.push(row);
    }
    return grid;
}

function patterns() {
    var grid = emptyGrid();
    var last = ALIGNMENT.length - 1;
    var i;
    for (i = 0; i < SIDE; i += 1) {
        grid[6][i] = grid[i][6] = (i + 1) % 2;
    }
    ALIGNMENT.forEach(function (row, y) {
        ALIGNMENT.forEach(function (column, x) {
            if (!((y === 0 && (x === 0 || x === last)) || (y === last && x === 0))) {
                drawRings(grid, row, column, 2);
            }
        });
    });
    drawRings(grid, 3, 3, 4);
    drawRings(grid, 3, SIDE - 4, 4);
    drawRings(grid, SIDE - 4, 3, 4);
    drawVersion(grid);
    drawFormat(grid, 0);
    return grid;
}

// In pairs of columns from the right, up and down in turn, past the column of the timing pattern.
function freePlaces(grid) {
    var places = [];
    var right, i, row, upward;
    for (right = SIDE - 1; right > 0; right -= 2) {
        right = right === 6 ? 5 : right;
        upward = Math.floor((SIDE - 1 - right) / 2) % 2 === 0;
        for (i = 0; i < SIDE; i += 1) {
            row = upward ? SIDE - 1 - i : i;
            [right, right - 1].forEach(function (column) {
                if (grid[row][column] === null) {
                    places.push([row, column]);
                }
            });
        }
    }
    return places;
}

var MASKS = [
    function (y, x) { return (y + x) % 2; },
    function (y) { return y % 2; },
    function (y, x) { return x % 3; },
    function (y, x) { return (y + x) % 3; },
    function (y, x) { return (Math.floor(y / 2) + Math.floor(x / 3)) % 2; },
    function (y, x) { return (y * x) % 2 + (y * x) % 3; },
    function (y, x) { return ((y * x) % 2 + (y * x) % 3) % 2; },
    function (y, x) { return ((y + x) % 2 + (y * x) % 3) % 2; }
];

function filled(blank, places, words, mask) {
    var grid = blank.map(function (row) { return row.slice(); });
    places.forEach(function (place, i) {
        var bit = (words[i >>> 3] >>> (7 - i % 8)) & 1;
        grid[place[0]][place[1]] = bit ^ +(MASKS[mask](place[0], place[1]) === 0);
    });
    drawFormat(grid, mask);
    return grid;
}

// What a reader finds hard in one row: long runs, and what looks like a finder.
function linePenalty(line) {
    var runs = line.match(/0{5,}|1{5,}/g) || [];
    var total = runs.reduce(function (sum, run) { return sum + run.length - 2; }, 0);
    var at;
    for (at = 0; at + 11 <= SIDE; at += 1) {
        if (/^(?:00001011101|10111010000)/.test(line.substr(at, 11))) {
            total += 40;
        }
    }
    return total;
}

function blockPenalty(grid) {
    var total = 0;
    var y, x, sum;
    for (y = 1; y < SIDE; y += 1) {
        for (x = 1; x < SIDE; x += 1) {
            sum = grid[y][x] + grid[y][x - 1] + grid[y - 1][x] + grid[y - 1][x - 1];
            total += sum % 4 ? 0 : 3;
        }
    }
    return total;
}

function penalty(grid) {
    var total = blockPenalty(grid);
    var dark = 0;
    grid.forEach(function (row, i) {
        total += linePenalty(row.join(""));
        total += linePenalty(grid.map(function (other) { return other[i]; }).join(""));
        dark += row.reduce(function (sum, module) { return sum + module; }, 0);
    });
    return total + 10 * Math.floor(Math.abs(dark * 20 / SIDE / SIDE - 10));
}

function qrGrid(text) {
    var blank = patterns();
    var places = freePlaces(blank);
    var words = allWords(text);
    var best = null;
    var least = Infinity;
    MASKS.forEach(function (ignored, mask) {
        var grid = filled(blank, places, words, mask);
        var points = penalty(grid);
        if (points < least) {
            best = grid;
            least = points;
        }
    });
    return best;
}
