"""Portraits for the bench camera: read, cut out of their background, ready to be textured.

`make models` leaves `<key>.png` or `.jpg` and `<key>.npz` (468 points with depth) in
`build/portraits/`; this file reads them and separates the person from the background, the head
from the body. It shows nothing and writes no file. What it holds are faces: `Portrait.wipe`
overwrites them, and whoever loads a portrait calls it.

What changes with this file: `hw/render.py`, `hw/flat_props.py`, the portraits that `models` makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt

from hw.head_mesh import CHIN, LANDMARKS, Floats, HeadMesh, head_mesh
from hw.ports import DeviceError
from hw.triangles import Places

Layer = npt.NDArray[np.uint8]
"""uint8 (rows, columns, 4): red, green, blue multiplied by the alpha that is the fourth."""

Plane = npt.NDArray[np.uint8]
"""uint8 (rows, columns): one channel."""

TEXTURE_FACE_PX = 240
"""Height of the face in the largest texture: about half a frame of 480 lines."""

LEVELS = 4
"""Textures of 240, 120, 60 and 30 px: a far face is drawn from a small one, lest it glitter."""

HEAD_BOX = (-1.2, -1.2, 1.2, 0.85)
BODY_BOX = (-1.7, 0.2, 1.7, 1.9)
SHEET_BOX = (-1.0, -0.95, 1.0, 1.35)
WHOLE_BOX = (-1.7, -1.2, 1.7, 1.9)
"""Left, top, right, bottom in face heights about the face's middle."""

MATTE_FACE_PX = 100
"""The cut-out is found at this size: a quarter of a second, and smooth when it is enlarged."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person, in face heights about the middle of the face.

    Attributes:
        mesh: the head's geometry.
        head: the head down to the neck on nothing, looking straight ahead, HEAD_BOX,
            TEXTURE_FACE_PX per face height, then halves.
        head_points: float32 (N, 2), where the mesh's points lie in `head[0]`, px.
        body: neck and shoulders on nothing, BODY_BOX, the same sizes.
        sheet: the portrait as it was taken, SHEET_BOX, opaque; what a print shows.
    """

    mesh: HeadMesh
    head: tuple[Layer, ...]
    head_points: Floats
    body: tuple[Layer, ...]
    sheet: Layer

    def wipe(self) -> None:
        """Overwrite every pixel that shows the person."""
        for layer in (*self.head, *self.body, self.sheet):
            layer.fill(0)


def load_portrait(key: str, folder: Path) -> Portrait:
    """Read `<key>` from `folder` and cut it out. Raises DeviceError."""
    points = _read_points(folder / f"{key}.npz", key)
    picture = _read_picture(key, folder)
    try:
        return portrait_from(picture, points)
    except ValueError as error:
        raise _missing(key, folder, f"holds no usable face ({error})") from error
    except cv2.error as error:  # points far outside the picture, or of no shape at all
        raise _missing(key, folder, "holds no usable face") from error


def portrait_from(picture: npt.NDArray[np.uint8], points: Floats) -> Portrait:
    """A portrait from an RGB picture and its 468 points. Raises ValueError: no face in them."""
    mesh = head_mesh(points)
    matte = _matte(_crop(picture, mesh, WHOLE_BOX, MATTE_FACE_PX), _scaled(points, mesh), mesh)
    whole = _crop(picture, mesh, WHOLE_BOX, TEXTURE_FACE_PX)
    shape = whole.shape[1], whole.shape[0]
    soft = np.asarray(cv2.resize(matte, shape, interpolation=cv2.INTER_CUBIC), np.uint8)
    chin = (points[CHIN, :2] - mesh.middle_px) / mesh.face_height_px
    head_points = _in_box(mesh.about_pivot[:, :2], HEAD_BOX)
    return Portrait(
        mesh=mesh,
        head=levels_of(_head_layer(whole, soft, mesh, head_points)),
        head_points=head_points,
        body=levels_of(_body_layer(whole, soft, chin)),
        sheet=_opaque(_crop(picture, mesh, SHEET_BOX, TEXTURE_FACE_PX)),
    )


# --- reading ------------------------------------------------------------------------------------


def _missing(key: str, folder: Path, fault: str) -> DeviceError:
    return DeviceError(f"The portrait {key!r} in {folder} {fault}; run `make models`.")


def _read_points(path: Path, key: str) -> Floats:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("one array where an archive should be")
        with archive:
            return np.asarray(archive["points"], np.float32)
    except FileNotFoundError as error:
        raise _missing(key, path.parent, "is missing") from error
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise _missing(key, path.parent, "has points that can't be read") from error


def _read_picture(key: str, folder: Path) -> npt.NDArray[np.uint8]:
    for suffix in (".png", ".jpg"):
        path = folder / f"{key}{suffix}"
        if path.is_file():
            packed = np.frombuffer(_without_profile(path.read_bytes()), np.uint8)
            picture = cv2.imdecode(packed, cv2.IMREAD_COLOR) if packed.size else None
            if picture is None:
                raise _missing(key, folder, "has a picture that can't be read")
            return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    raise _missing(key, folder, "has no picture (.png or .jpg)")


def _without_profile(packed: bytes) -> bytes:
    """A PNG file without its colour profile, of which libpng complains on stderr; others as is."""
    signature = b"\x89PNG\r\n\x1a\n"
    if not packed.startswith(signature):
        return packed
    kept, at = [signature], len(signature)
    while at + 8 <= len(packed):
        end = at + 12 + int.from_bytes(packed[at : at + 4], "big")
        if packed[at + 4 : at + 8] != b"iCCP":
            kept.append(packed[at:end])
        at = end
    return b"".join(kept)


# --- geometry -----------------------------------------------------------------------------------


def _crop(
    picture: npt.NDArray[np.uint8],
    mesh: HeadMesh,
    box: tuple[float, float, float, float],
    face_px: int,
) -> npt.NDArray[np.uint8]:
    """The part of the picture in `box`, scaled so that the face is `face_px` high."""
    left, top, right, bottom = box
    size = round((right - left) * face_px), round((bottom - top) * face_px)
    scale = face_px / mesh.face_height_px
    middle_x, middle_y = mesh.middle_px
    if scale < 0.5:  # shrink by averaging first, so that nothing glitters
        shape = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        picture = np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), np.uint8)
        middle_x, middle_y, scale = middle_x * scale, middle_y * scale, 1.0
    moved = np.array(
        [
            [scale, 0, -left * face_px - middle_x * scale],
            [0, scale, -top * face_px - middle_y * scale],
        ]
    )
    cut = cv2.warpAffine(
        picture, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.uint8)


def _scaled(points: Floats, mesh: HeadMesh) -> Floats:
    """Points of the portrait in px of the picture that the matte is found in: float32 (N, 2)."""
    about = (points[:, :2] - mesh.middle_px) / mesh.face_height_px
    return np.asarray((about - WHOLE_BOX[:2]) * MATTE_FACE_PX, np.float32)


def _in_box(places: Floats, box: tuple[float, float, float, float]) -> Floats:
    """Face heights to px of the largest texture of a box: float32 (N, 2)."""
    return np.asarray((places - np.array(box[:2])) * TEXTURE_FACE_PX, np.float32)


# --- cutting out --------------------------------------------------------------------------------


def _matte(picture: npt.NDArray[np.uint8], points: Floats, mesh: HeadMesh) -> Plane:
    """Where the person is: uint8 (rows, columns), 255 inside, soft at the edge.

    GrabCut (Rother, Kolmogorov and Blake 2004) told where a head and shoulders usually are.
    """
    marks = _guess(picture.shape[:2], points, mesh)
    inside = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    if picture.std() > 4:  # nothing to tell apart in a flat picture; GrabCut would fail on it
        cv2.setRNGSeed(1)
        background, person = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(picture, marks, (0, 0, 1, 1), background, person, 4, cv2.GC_INIT_WITH_MASK)
        inside = (marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)
    kept = _largest_piece(inside.astype(np.uint8))
    opened = cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.GaussianBlur(opened * np.uint8(255), (0, 0), 1.2), np.uint8)


def _guess(shape: tuple[int, ...], points: Floats, mesh: HeadMesh) -> Plane:
    """GrabCut's marks: sure of the face and the chest, probable for hair and shoulders."""
    marks = np.full(shape, cv2.GC_BGD, np.uint8)
    unit = MATTE_FACE_PX
    places = _scaled(np.array([mesh.pivot_px, mesh.crown_px], np.float32), mesh)
    (head_x, head_y), crown = places.round().astype(int).tolist()
    chin_x, chin_y = points[CHIN].tolist()

    def trunk(half_widths: list[tuple[float, float]], mark: int) -> None:
        right = [(chin_x + half * unit, chin_y + down * unit) for down, half in half_widths]
        left = [(2 * chin_x - x, y) for x, y in reversed(right)]
        cv2.fillPoly(marks, [np.array(right + left).round().astype(np.int32)], (mark,))

    def head(wide: int, tall: int, mark: int) -> None:
        cv2.ellipse(marks, (head_x, head_y - 14), (wide, tall), 0, 0, 360, (mark,), -1)

    head(76, 94, cv2.GC_PR_BGD)
    marks[round(chin_y - 0.45 * unit) :] = cv2.GC_BGD  # beside the cheeks there is no hair
    head(52, 80, cv2.GC_PR_FGD)
    marks[round(chin_y - 0.25 * unit) :] = cv2.GC_BGD  # beside the neck there is nobody
    trunk([(-0.1, 0.34), (0.12, 0.37), (0.32, 0.62), (0.6, 1.4), (2.5, 1.5)], cv2.GC_PR_FGD)
    trunk([(-0.1, 0.2), (0.3, 0.22), (0.7, 0.7), (2.5, 0.75)], cv2.GC_FGD)
    cv2.ellipse(marks, crown, (26, 18), 0, 180, 360, (cv2.GC_FGD,), -1)
    hull = cv2.convexHull(points.round().astype(np.int32))
    cv2.fillConvexPoly(marks, hull, (cv2.GC_FGD,))
    return np.asarray(marks, np.uint8)


def _largest_piece(inside: Plane) -> Plane:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return inside
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest, np.uint8)


def _head_layer(
    whole: npt.NDArray[np.uint8], alpha: Plane, mesh: HeadMesh, head_points: Floats
) -> Layer:
    """The head as it looks straight ahead, whichever way the portrait's own looks.

    What the portrait hides comes from the other side of the head. It fades out over the neck, so
    that it may turn on shoulders that do not.
    """
    about = (mesh.in_portrait - mesh.middle_px) / mesh.face_height_px
    source_points = _in_box(np.asarray(about, np.float32), WHOLE_BOX)
    source = _source(whole, alpha, source_points)
    rows, columns = (_part(alpha, HEAD_BOX)).shape
    drawn = Places(head_points, mesh.about_pivot[:, 2] + mesh.behind, mesh.triangles)
    numbers = drawn.numbers((rows, columns))
    own, other = (
        cv2.remap(source, *drawn.spread(points, numbers), cv2.INTER_LINEAR).astype(np.float32)
        for points in (source_points, source_points[mesh.twins])
    )
    from_twin, _ = drawn.spread(np.column_stack([mesh.from_twin, mesh.from_twin]), numbers)
    share = cv2.GaussianBlur(np.clip(from_twin, 0, 1), (0, 0), 5)
    return _mixed(own, other, np.asarray(share[..., None]), _above_the_neck((rows, columns)))


def _mixed(own: Floats, other: Floats, share: Floats, shown: Floats) -> Layer:
    """One layer of two that overlap, with no window where only one of them has the person.

    Args:
        own, other: float32 (rows, columns, 4), premultiplied, 0..255.
        share: float32 (rows, columns, 1), 0..1, of the other.
        shown: float32 (rows, columns), 0..1, of the result.
    """
    both = (1 - share) * own + share * other
    colour = both[..., :3] / np.maximum(both[..., 3:], 1) * 255
    alpha = np.maximum(own[..., 3:], np.clip(3 * share, 0, 1) * other[..., 3:])
    return _premultiplied(np.clip(colour, 0, 255), alpha[..., 0] * shown)


def _source(whole: npt.NDArray[np.uint8], alpha: Plane, points: Floats) -> Layer:
    """The portrait without its background, and without a hole within the face."""
    face = np.zeros_like(alpha)
    hull = cv2.convexHull(points[:LANDMARKS].round().astype(np.int32))
    cv2.fillConvexPoly(face, hull, (255,))
    opacity = np.maximum(alpha, face).astype(np.float64)
    return _premultiplied(_without_background(whole, alpha), opacity)


def _above_the_neck(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """1 at the head, falling to 0 below and beside the chin: float32 (rows, columns)."""
    down = np.linspace(HEAD_BOX[1], HEAD_BOX[3], shape[0], dtype=np.float32)[:, None]
    beside = np.abs(np.linspace(HEAD_BOX[0], HEAD_BOX[2], shape[1], dtype=np.float32))
    neck = np.clip((0.72 - down) / 0.2, 0, 1) * np.clip((0.34 - beside) / 0.06, 0, 1)
    return np.asarray(np.where(down < 0.5, 1, neck), np.float32)


def _without_background(picture: npt.NDArray[np.uint8], alpha: Plane) -> npt.NDArray[np.uint8]:
    """The picture with what lies outside the person replaced by the colours of its edge."""
    inside = cv2.erode(alpha, np.ones((9, 9), np.uint8)).astype(np.float32)[..., None] / 255
    spread = cv2.GaussianBlur(picture * inside, (0, 0), 12)
    weight = cv2.GaussianBlur(inside, (0, 0), 12)[..., None] + 1e-4
    return np.asarray(picture * inside + spread / weight * (1 - inside)).astype(np.uint8)


def _body_layer(whole: npt.NDArray[np.uint8], alpha: Plane, chin: Floats) -> Layer:
    """Neck and shoulders; above the neck's middle its row goes on, for a chin that moves away."""
    picture, shown = _part(whole, BODY_BOX).copy(), _part(alpha, BODY_BOX).astype(np.float64)
    neck = round((float(chin[1]) + 0.1 - BODY_BOX[1]) * TEXTURE_FACE_PX)
    neck = min(max(neck, 1), picture.shape[0] - 1)
    across = np.linspace(BODY_BOX[0], BODY_BOX[2], picture.shape[1]) - float(chin[0])
    column = np.clip((0.28 - np.abs(across)) / 0.08, 0, 1)
    rising = np.clip(np.linspace(-0.2, 1.6, neck), 0, 1)[:, None]
    from_chin = np.clip((np.arange(neck) - neck) / (0.1 * TEXTURE_FACE_PX) + 1, 0, 1)[:, None]
    mixed = column[:, None] * picture[neck] + (1 - column[:, None]) * picture[:neck]
    shown[:neck] = np.maximum(shown[neck] * column * rising, shown[:neck] * from_chin)
    picture[:neck] = mixed.astype(np.uint8)
    return _premultiplied(picture, shown)


def _part(whole: Plane, box: tuple[float, float, float, float]) -> npt.NDArray[np.uint8]:
    """The part of something cut to WHOLE_BOX that lies in `box`."""
    left, top, right, bottom = (round(edge * TEXTURE_FACE_PX) for edge in box)
    x, y = (round(edge * TEXTURE_FACE_PX) for edge in WHOLE_BOX[:2])
    return whole[top - y : bottom - y, left - x : right - x]


def _premultiplied(picture: npt.ArrayLike, alpha: npt.ArrayLike) -> Layer:
    opacity = np.asarray(alpha)[..., None] / 255
    return np.dstack([np.asarray(picture) * opacity, np.asarray(alpha)]).round().astype(np.uint8)


def _opaque(picture: npt.NDArray[np.uint8]) -> Layer:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def levels_of(layer: Layer) -> tuple[Layer, ...]:
    """The layer, and halves of halves of it by averaging."""
    levels = [layer]
    while len(levels) < LEVELS:
        last = levels[-1]
        size = (last.shape[1] // 2, last.shape[0] // 2)
        levels.append(np.asarray(cv2.resize(last, size, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)
