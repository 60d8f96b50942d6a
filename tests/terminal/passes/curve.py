"""The points of small order of edwards25519, reckoned anew from RFC 8032, 5.1, for the tests."""

from __future__ import annotations

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493
"""The order of the base point, L."""

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def added(one: Point, other: Point) -> Point:
    """The sum of two points."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def times(factor: int, point: Point) -> Point:
    """A multiple of a point."""
    product = NEUTRAL
    while factor:
        if factor & 1:
            product = added(product, point)
        point, factor = added(point, point), factor >> 1
    return product


def point_at(y: int) -> Point | None:
    """A point with this y, if there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if x * x % P == square:
            return x, y
    return None


def small_order_points() -> set[Point]:
    """The eight points whose order divides the cofactor 8."""
    for y in range(2, 100):
        point = point_at(y)
        torsion = times(ORDER, point) if point else NEUTRAL
        if times(4, torsion) != NEUTRAL:
            return {times(factor, torsion) for factor in range(8)}
    raise AssertionError("no point of order 8 among the first ones")


def every_encoding(point: Point) -> set[bytes]:
    """All 32 bytes that a careless decoder takes for this y: not reduced, and with either sign."""
    numbers = [y for y in (point[1], point[1] + P) if y < 2**255]
    return {(y | sign << 255).to_bytes(32, "little") for y in numbers for sign in (0, 1)}
