"""A phone for the tests: runs the scripts of the pass page, and reads what a screen shows."""

from __future__ import annotations

from typing import Any

import dukpy
import numpy as np
import numpy.typing as npt
import zxingcpp

from terminal.passes.page import script_text

Image = npt.NDArray[np.uint8]


class Phone:
    """An ECMAScript 5 interpreter with the page's script loaded, and no document."""

    def __init__(self) -> None:
        self._engine = dukpy.JSInterpreter()
        self._engine.evaljs(script_text())

    def run(self, expression: str, **values: object) -> Any:
        """The value of an expression, in which `dukpy.x` is the value given as `x`."""
        return self._engine.evaljs(f"({expression})", **values)

    def code(self, secret: bytes, step: int) -> int:
        """The code of a step."""
        return int(self.run("codeAt(dukpy.secret, dukpy.step)", secret=list(secret), step=step))

    def text(self, signed: str, secret: bytes, step: int) -> str:
        """The whole text of a step."""
        expression = "textAt(dukpy.signed, dukpy.secret, dukpy.step)"
        return str(self.run(expression, signed=signed, secret=list(secret), step=step))

    def grid(self, text: str) -> Image:
        """The QR code of a text (45 x 45, 1 is dark)."""
        return np.array(self.run("qrGrid(dukpy.text)", text=text), np.uint8)


def picture(grid: Image, module_px: int = 4, quiet: int = 4) -> Image:
    """Dark on light, as a screen or paper shows it (grey, uint8)."""
    framed = np.pad(grid, quiet)
    return np.kron(np.where(framed, 0, 255), np.ones((module_px, module_px))).astype(np.uint8)


def read(image: Image) -> list[str]:
    """The texts of all QR codes in a grey picture."""
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    return [found.text for found in zxingcpp.read_barcodes(image, formats)]
