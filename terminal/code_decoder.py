"""The one place where zxing-cpp looks at a picture: all QR codes in a grey frame.

What it is given is hostile; it may crash, hang or take any memory, and whoever calls it must be
a process that may die of it (`code_worker`). Only QR codes are looked for (ISO/IEC 18004, model 2):
no Micro QR, no other symbology, whose decoders are so many more lines that could be wrong.

What changes with this file: what a pass may look like, tests/bench/codes.py.
"""

from __future__ import annotations

import zxingcpp

FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)


def qr_codes_in(grey: memoryview) -> tuple[bytes, ...]:
    """The content of every QR code in a frame (uint8, (height, width)), byte for byte.

    Light-on-dark codes are read too: a telephone in its dark mode shows them.
    """
    found = zxingcpp.read_barcodes(grey, formats=FORMATS, try_rotate=False)
    return tuple(bytes(code.bytes) for code in found)
