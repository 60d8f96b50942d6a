"""What goes over the link between vision and door is a message of the schema, or nothing."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terminal import link
from terminal.core.values import Hint, Level, Pose, View
from terminal.errors import LinkBroken
from terminal.link import MAX_DATAGRAM_BYTES, MAX_WIDTH, Link, Vector
from tests.terminal.given_bridge import WIDTH, probe_of

MESSAGES: tuple[link.Any, ...] = (
    link.Hello("a" * 64, 128),
    link.Alive(1, 2, 3, 4, camera_working=True),
    link.Zone(View.READY, 7, None),
    link.Zone(View.PASSING, None, Hint.NEARER),
    link.Present(present=False),
    link.Hindered(Hint.MORE_LIGHT),
    link.Probe(7, 3, 12.5),
    link.Reference(Pose.LEFT),
    link.Lease(Level.EMBED, 7, None, 99.25),
    link.Lease(Level.ENROL, None, Pose.UP, 99.25),
    link.Lease(Level.NONE, None, None, 0.0),
)


class Pair:
    """A link, and the bare socket at its other end."""

    def __init__(self) -> None:
        self.raw, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link = Link(far)

    def hears(self, datagram: bytes) -> tuple[link.Any, Vector] | None:
        self.raw.send(datagram)
        return self.link.receive(1.0)

    def close(self) -> None:
        self.raw.close()
        self.link.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture
def ends() -> Iterator[tuple[Link, Link]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pair = Link(one), Link(other)
    yield pair
    for end in pair:
        end.close()


def numbers_of(message: link.Any) -> Vector | None:
    return probe_of(1) if isinstance(message, link.CARRIERS) else None


def datagram(head: bytes, numbers: bytes = b"") -> bytes:
    return struct.pack("!H", len(head)) + head + numbers


def packed(**fields: Any) -> bytes:
    return datagram(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_every_message_arrives_as_it_was_sent(ends: tuple[Link, Link], message: link.Any) -> None:
    numbers = numbers_of(message)
    ends[0].send(message, numbers)
    heard = ends[1].receive(1.0)
    assert heard is not None
    assert heard[0] == message
    assert heard[1].dtype == np.float32
    np.testing.assert_array_equal(heard[1], np.empty(0) if numbers is None else numbers)


def test_every_type_of_message_is_among_them() -> None:
    assert {type(one) for one in MESSAGES} == set(link.Any.__args__)


def test_nothing_came_is_none(pair: Pair) -> None:
    assert pair.link.receive(0.0) is None


def test_messages_keep_their_order_and_their_borders(ends: tuple[Link, Link]) -> None:
    for track in range(20):
        ends[0].send(link.Zone(View.READY, track, None))
    heard = [ends[1].receive(1.0) for _ in range(20)]
    expected = [link.Zone(View.READY, track, None) for track in range(20)]
    assert [one[0] for one in heard if one is not None] == expected


REFUSED = {
    "an unknown field": packed(type="Present", present=True, picture=b"x"),
    "an unknown type": packed(type="Picture", present=True),
    "no type": packed(present=True),
    "a missing field": packed(type="Present"),
    "a number for a truth": packed(type="Present", present=1),
    "a text for a number": packed(type="Hello", embedder_sha256="a", width="128"),
    "bytes for a text": packed(type="Hello", embedder_sha256=b"a" * 64, width=128),
    "free text for a hash": packed(type="Hello", embedder_sha256="Neighbour", width=128),
    "more than a hash": packed(type="Hello", embedder_sha256="a" * 65, width=128),
    "a hash and a line's end": packed(type="Hello", embedder_sha256="a" * 64 + "\n", width=128),
    "a hash of other letters": packed(type="Hello", embedder_sha256="g" * 64, width=128),
    "no width": packed(type="Hello", embedder_sha256="a" * 64, width=0),
    "a width beyond the widest": packed(
        type="Hello", embedder_sha256="a" * 64, width=MAX_WIDTH + 1
    ),
    "a pose that is none": packed(type="Reference", pose="upside_down"),
    "a level beyond the last": packed(
        type="Lease", level=4, track=None, pose=None, until_mono_s=1.0
    ),
    "a lease that ends at no number": packed(
        type="Lease", level=1, track=None, pose=None, until_mono_s=float("nan")
    ),
    "a lease that never ends": packed(
        type="Lease", level=1, track=None, pose=None, until_mono_s=float("inf")
    ),
    "a lease from before time": packed(
        type="Lease", level=1, track=None, pose=None, until_mono_s=-1.0
    ),
    "an array": datagram(msgspec.msgpack.encode([1, 2])),
    "two messages": datagram(2 * msgspec.msgpack.encode({"type": "Present", "present": True})),
    "nothing but a length": b"\x00\x05",
    "one byte": b"\x00",
    "a length beyond the end": struct.pack("!H", 60_000) + b"\x80",
    "a deep nest": datagram(b"\x82\xa1a" + b"\x91" * 2900),
    "a deep nest for a field": datagram(b"\x82\xa4type\xa5Probe\xa5track" + b"\x91" * 2900),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_what_is_no_message_breaks_the_link(pair: Pair, raw: bytes) -> None:
    with pytest.raises(LinkBroken):
        pair.hears(raw)


NUMBERS = {
    "too short": (0.5 * probe_of(1), "unit length"),
    "too long": (1.5 * probe_of(1), "unit length"),
    "zero": (np.zeros(WIDTH, np.float32), "unit length"),
    "not a number": (np.full(WIDTH, np.nan, np.float32), "unit length"),
    "huge": (np.full(WIDTH, 3e38, np.float32), "unit length"),
    "infinite": (np.full(WIDTH, np.inf, np.float32), "unit length"),
    "one not a number": (np.append(probe_of(1)[1:], np.float32(np.nan)), "unit length"),
    "too many": (np.eye(1, MAX_WIDTH + 1, dtype=np.float32)[0], "no embedding"),
    "none": (np.empty(0, np.float32), "is no message"),
}


@pytest.mark.parametrize(("numbers", "why"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_that_are_no_embedding_are_neither_sent_nor_taken(
    pair: Pair, numbers: Vector, why: str
) -> None:
    probe = link.Probe(1, 3, 1.0)
    with pytest.raises(LinkBroken, match=why):
        pair.link.send(probe, numbers.astype(np.float32))
    head = msgspec.msgpack.encode(probe)
    with pytest.raises(LinkBroken, match=why):
        pair.hears(datagram(head, numbers.astype(np.float32).tobytes()))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_numbers_go_with_probes_and_references_alone(pair: Pair, message: link.Any) -> None:
    wrong = None if isinstance(message, link.CARRIERS) else probe_of(1)
    with pytest.raises(LinkBroken, match="is no message"):
        pair.link.send(message, wrong)
    head = msgspec.msgpack.encode(message)
    with pytest.raises(LinkBroken, match="is no message"):
        pair.hears(datagram(head, b"" if wrong is None else wrong.tobytes()))


def test_half_a_number_is_refused(pair: Pair) -> None:
    head = msgspec.msgpack.encode(link.Probe(1, 3, 1.0))
    with pytest.raises(LinkBroken):
        pair.hears(datagram(head, probe_of(1).tobytes()[:-1]))


def test_double_precision_is_refused(ends: tuple[Link, Link]) -> None:
    with pytest.raises(LinkBroken, match="float64"):
        ends[0].send(link.Probe(1, 3, 1.0), probe_of(1).astype(np.float64))


def test_the_widest_embedding_goes_through(ends: tuple[Link, Link]) -> None:
    widest = np.eye(1, MAX_WIDTH, dtype=np.float32)[0]
    ends[0].send(link.Reference(Pose.STRAIGHT), widest)
    heard = ends[1].receive(1.0)
    assert heard is not None
    assert heard[1].size == MAX_WIDTH


@pytest.mark.requirement("R05", "D6", "R17", "R36")
@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_frame_can_be_sent_with_no_message(ends: tuple[Link, Link], message: link.Any) -> None:
    frame = np.random.default_rng(1).random((480, 640, 3)).astype(np.float32)
    frame /= np.linalg.norm(frame)
    for numbers in (frame, frame.ravel(), frame[::30, ::30, 0].copy().ravel()):
        with pytest.raises(LinkBroken):
            ends[0].send(message, numbers)
    assert ends[1].receive(0.0) is None


@pytest.mark.requirement("D6")
def test_a_datagram_is_bounded_to_three_kilobytes() -> None:
    """A thumbnail could be as small; what keeps it out is that no message has a field for it."""
    assert MAX_DATAGRAM_BYTES == 3074


@pytest.mark.requirement("D6")
def test_a_text_can_carry_nothing_but_a_hash(ends: tuple[Link, Link]) -> None:
    for text in ("x" * 2000, "x" * 64, "a" * 63, ""):
        with pytest.raises(LinkBroken, match="can't be sent"):
            ends[0].send(link.Hello(text, 128))
    assert ends[1].receive(0.0) is None


def types_within(info: msgspec.inspect.Type) -> Iterator[msgspec.inspect.Type]:
    """A type and everything that it is made of."""
    yield info
    for name in info.__struct_fields__:
        value = getattr(info, name)
        for one in value if isinstance(value, tuple) else (value,):
            inner = one.type if isinstance(one, msgspec.inspect.Field) else one
            if isinstance(inner, msgspec.inspect.Type):
                yield from types_within(inner)


PLAIN = (
    msgspec.inspect.BoolType,
    msgspec.inspect.IntType,
    msgspec.inspect.FloatType,
    msgspec.inspect.StrType,
    msgspec.inspect.NoneType,
    msgspec.inspect.EnumType,
    msgspec.inspect.UnionType,
    msgspec.inspect.StructType,
)


@pytest.mark.requirement("R05", "D6", "R35", "R36")
def test_no_message_has_a_field_for_a_picture_or_any_other_bytes() -> None:
    for message in link.Any.__args__:
        found = list(types_within(msgspec.inspect.type_info(message)))
        assert len(found) > 1
        strange = [one for one in found if not isinstance(one, PLAIN)]
        assert not strange, f"{message.__name__} has {strange}"


@pytest.mark.requirement("R05", "D6")
def test_no_message_has_a_field_for_free_text() -> None:
    """Every text is an Enum's or fits a pattern that is anchored at both ends."""
    for message in link.Any.__args__:
        for one in types_within(msgspec.inspect.type_info(message)):
            if isinstance(one, msgspec.inspect.StrType):
                pattern = one.pattern or ""
                assert pattern.startswith(r"\A") and pattern.endswith(r"}\Z"), message.__name__


def test_the_walk_over_the_types_finds_a_field_of_bytes() -> None:
    class Smuggler(msgspec.Struct):
        note: int | tuple[bytes, ...]

    found = types_within(msgspec.inspect.type_info(Smuggler))
    assert any(isinstance(one, msgspec.inspect.BytesType) for one in found)


HEADS = [msgspec.msgpack.encode(one) for one in MESSAGES]
GOOD = [
    datagram(head, probe_of(1).tobytes() if isinstance(one, link.CARRIERS) else b"")
    for head, one in zip(HEADS, MESSAGES, strict=True)
]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A good datagram with bytes exchanged, taken away or put in."""
    raw = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(raw) - 1)))
        raw[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(raw) or b"\x00"


HOSTILE = st.one_of(
    st.binary(min_size=1, max_size=200),
    st.binary(min_size=1, max_size=80).map(lambda head: datagram(head)),
    st.sampled_from(GOOD).flatmap(
        lambda raw: st.integers(1, len(raw)).map(lambda length: raw[:length])
    ),
    spoilt(),
)


@settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=HOSTILE)
def test_a_random_datagram_is_a_message_or_breaks_the_link_and_nothing_else(
    pair: Pair, raw: bytes
) -> None:
    try:
        heard = pair.hears(raw)
    except LinkBroken:
        return
    assert heard is not None
    assert isinstance(heard[0], link.Message)
    assert (heard[1].size > 0) == isinstance(heard[0], link.CARRIERS)


@pytest.mark.parametrize("length", [MAX_DATAGRAM_BYTES + 1, 20_000, 100_000])
def test_an_oversized_datagram_breaks_the_link(pair: Pair, length: int) -> None:
    raw = GOOD[6] + bytes(length - len(GOOD[6]))
    with pytest.raises(LinkBroken):
        pair.hears(raw)


def test_a_closed_end_breaks_the_link(ends: tuple[Link, Link]) -> None:
    ends[0].close()
    with pytest.raises(LinkBroken, match="has closed"):
        ends[1].receive(1.0)
    with pytest.raises(LinkBroken, match="can't be reached"):
        ends[1].send(link.Present(present=True))


def test_a_peer_that_does_not_keep_up_breaks_the_link(ends: tuple[Link, Link]) -> None:
    with pytest.raises(LinkBroken, match="can't be reached"):
        for _ in range(100_000):
            ends[0].send(link.Present(present=True))


def test_shutting_wakes_whoever_listens(ends: tuple[Link, Link]) -> None:
    ends[1].shut()
    with pytest.raises(LinkBroken):
        ends[1].receive(5.0)
    ends[1].shut()


@pytest.mark.requirement("R17")
def test_wiping_overwrites_the_numbers_that_were_received(ends: tuple[Link, Link]) -> None:
    ends[0].send(link.Probe(1, 3, 1.0), probe_of(1))
    heard = ends[1].receive(1.0)
    assert heard is not None
    assert heard[1].any()
    ends[1].wipe()
    assert not heard[1].any()


@pytest.mark.requirement("R17")
def test_closing_overwrites_them_too(ends: tuple[Link, Link]) -> None:
    ends[0].send(link.Probe(1, 3, 1.0), probe_of(1))
    heard = ends[1].receive(1.0)
    assert heard is not None
    ends[1].close()
    assert not heard[1].any()
    ends[1].close()
