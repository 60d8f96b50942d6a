"use strict";

// The code of the moment: SHA-256 (FIPS 180-4), HMAC (RFC 2104), RFC 6238 with 8 digits and steps of
// 30 s, as terminal/passes/rotation.py reckons it, and its letters in base45. Bytes are arrays.

var STEP_S = 30;
var DIGITS = 100000000;
var LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

var ROUND_CONSTANTS = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
];
var FIRST_HASH = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
];

function turned(word, by) {
    return (word >>> by) | (word << (32 - by));
}

function wordBytes(word) {
    return [(word >>> 24) & 255, (word >>> 16) & 255, (word >>> 8) & 255, word & 255];
}

// A whole number up to 2^53 as eight bytes, for which JavaScript's shifts are too short.
function longBytes(number) {
    return wordBytes(Math.floor(number / 4294967296)).concat(wordBytes(number >>> 0));
}

function padded(bytes) {
    var whole = bytes.concat([128]);
    while (whole.length % 64 !== 56) {
        whole.push(0);
    }
    return whole.concat(longBytes(bytes.length * 8));
}

function schedule(bytes, from) {
    var words = [];
    var i, x, y, at;
    for (i = 0; i < 16; i += 1) {
        at = from + i * 4;
        words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (i = 16; i < 64; i += 1) {
        x = words[i - 15];
        y = words[i - 2];
        x = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
        y = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
        words[i] = (words[i - 16] + x + words[i - 7] + y) | 0;
    }
    return words;
}

function compressed(hash, words) {
    var h = hash.slice();
    var i, one, two;
    for (i = 0; i < 64; i += 1) {
        one = turned(h[4], 6) ^ turned(h[4], 11) ^ turned(h[4], 25);
        one = (h[7] + one + ((h[4] & h[5]) ^ (~h[4] & h[6])) + ROUND_CONSTANTS[i] + words[i]) | 0;
        two = turned(h[0], 2) ^ turned(h[0], 13) ^ turned(h[0], 22);
        two = (two + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]))) | 0;
        h = [(one + two) | 0, h[0], h[1], h[2], (h[3] + one) | 0, h[4], h[5], h[6]];
    }
    return hash.map(function (word, at) { return (word + h[at]) | 0; });
}

function sha256(bytes) {
    var whole = padded(bytes);
    var hash = FIRST_HASH;
    var from;
    for (from = 0; from < whole.length; from += 64) {
        hash = compressed(hash, schedule(whole, from));
    }
    return hash.reduce(function (all, word) { return all.concat(wordBytes(word)); }, []);
}

// For keys of at most 64 bytes; a pass's secret has 32.
function hmac(key, message) {
    function crossed(value) {
        var block = [];
        while (block.length < 64) {
            block.push((key[block.length] || 0) ^ value);
        }
        return block;
    }
    return sha256(crossed(0x5c).concat(sha256(crossed(0x36).concat(message))));
}

function codeAt(secret, step) {
    var mac = hmac(secret, longBytes(step));
    var at = mac[31] & 15;
    var number = ((mac[at] & 127) << 24) | (mac[at + 1] << 16) | (mac[at + 2] << 8) | mac[at + 3];
    return number % DIGITS;
}

function stepAt(milliseconds) {
    return Math.floor(milliseconds / 1000 / STEP_S);
}

function pairLetters(number) {
    return LETTERS.charAt(number % 45) + LETTERS.charAt(Math.floor(number / 45) % 45) +
        LETTERS.charAt(Math.floor(number / 2025));
}

// The signed part has an even number of bytes, so its letters stay as they are.
function textAt(signed, secret, step) {
    var code = codeAt(secret, step);
    return signed + pairLetters(code >>> 16) + pairLetters(code & 65535);
}

function bytesOfHex(hex) {
    return hex.match(/../g).map(function (pair) { return parseInt(pair, 16); });
}
