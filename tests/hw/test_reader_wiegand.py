"""The Wiegand reader on gpiozero's mock pins: real bit timings in the test's own time, noise."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from hw.bench import BenchBoard
from hw.bench_clock import FakeClock
from hw.errors import DeviceError
from hw.gpio import GpiozeroBoard
from hw.ports import Edge, ReadKind
from hw.reader_wiegand import WARN_AT, WiegandReader
from hw.typed_entry import ENTRY_GAP_S
from hw.wiegand import FORMATS, SILENCE_S, Drop, Frame, encode
from hw.wiring import Wiring
from tests.hw.card_readers import Rig, rig_of

D0, D1 = 20, 21
PULSE_S = 50e-6


class TimedPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A mock pin whose ticks are the test's time, as lgpio's are the kernel's."""

    now: Callable[[], float]

    def _change_state(self, value: bool) -> bool:
        changed = bool(super()._change_state(value))
        self._last_change = type(self).now()
        return changed


class Wires:
    """Two wires from a reader to the board's mock pins, and the time on them."""

    def __init__(self, *, keypad: bool = False) -> None:
        self.clock = FakeClock()
        pin = type("Pin", (TimedPin,), {"now": staticmethod(self.clock)})
        self.factory = MockFactory(pin_class=pin)
        self.board = GpiozeroBoard(self.factory, Wiring(), self.clock, self.clock.call_later)
        self.reader = WiegandReader(
            "gate",
            lambda on_edge: self.board.lend((D0, D1), on_edge),
            self.clock,
            keypad=keypad,
            call_later=self.clock.call_later,
        )
        self.rig = rig_of(self.reader)
        self.rig.start()
        self.pins: tuple[Any, Any] = (self.factory.pin(D0), self.factory.pin(D1))

    def send(self, bits: tuple[int, ...], spacing_s: float = 1.5e-3) -> None:
        """Every bit as a pulse, then silence."""
        for bit in bits:
            self.pulse(bit)
            self.clock.advance(spacing_s - PULSE_S)
        self.clock.advance(0.2)

    def pulse(self, *lines: int, seconds: float = PULSE_S) -> None:
        for line in lines:
            self.pins[line].drive_low()
        self.clock.advance(seconds)
        for line in lines:
            self.pins[line].drive_high()

    def heard(self) -> list[tuple[bytes, ReadKind]]:
        found = []
        while not self.rig.reads.empty():
            data, _, kind = self.rig.reads.get_nowait()
            found.append((data, kind))
        return found

    def close(self) -> None:
        self.reader.close()
        self.board.close()


@pytest.mark.parametrize("bits", sorted(FORMATS))
@pytest.mark.parametrize("spacing_s", [0.25e-3, 1e-3, 2e-3, 20e-3])
def test_frames_are_read_at_every_pace_that_readers_have(bits: int, spacing_s: float) -> None:
    wires, chance = Wires(), random.Random(bits)
    sent = [Frame(chance.getrandbits(bits - 2), bits) for _ in range(5)]
    for frame in sent:
        wires.send(encode(frame.number, frame.bits), spacing_s)
    assert wires.heard() == [(frame.text.encode(), ReadKind.IDENTIFIER) for frame in sent]
    assert not wires.reader.dropped
    wires.close()


def test_read_is_told_fifty_ms_after_its_last_bit_with_that_bits_time() -> None:
    wires = Wires()
    for bit in encode(7, 26):
        wires.clock.advance(1e-3)
        wires.pulse(bit, seconds=0.0)
    last_s = wires.clock()
    wires.clock.advance(SILENCE_S - 1e-6)
    assert wires.rig.reads.empty()
    wires.clock.advance(1e-4)
    assert wires.rig.reads.get_nowait()[1] == last_s
    wires.close()


# Noise. Each fault is one that parity, length or the times show for certain.


def turned(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    bits[at] ^= 1
    wires.send(tuple(bits))


def lost(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    wires.send(tuple(bits[:at] + bits[at + 1 :]))


def added(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    wires.send((*bits[:at], chance.getrandbits(1), *bits[at:]))


def crosstalk(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    """The pulse is seen on both wires at once."""
    for place, bit in enumerate(bits):
        wires.pulse(*((0, 1) if place == at else (bit,)))
        wires.clock.advance(1.5e-3 - PULSE_S)
    wires.clock.advance(0.2)


def glitch(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    """A spike of a microsecond somewhere between two bits."""
    for place, bit in enumerate(bits):
        wires.pulse(bit)
        left_s = 1.5e-3 - PULSE_S
        if place == at:
            before_s = chance.uniform(0.0, left_s - 1e-6)
            wires.clock.advance(before_s)
            wires.pulse(chance.getrandbits(1), seconds=1e-6)
            left_s -= before_s + 1e-6
        wires.clock.advance(left_s)
    wires.clock.advance(0.2)


def bouncing(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    """One pulse rings."""
    for place, bit in enumerate(bits):
        for _ in range(chance.randint(2, 5) if place == at else 1):
            wires.pulse(bit, seconds=8e-6)
            wires.clock.advance(2e-6)
        wires.clock.advance(1.5e-3)
    wires.clock.advance(0.2)


def torn(wires: Wires, bits: list[int], at: int, chance: random.Random) -> None:
    """A pause that is neither within a frame nor between two."""
    for place, bit in enumerate(bits):
        wires.pulse(bit)
        wires.clock.advance(chance.uniform(0.026, 0.0495) if place == at else 1.5e-3)
    wires.clock.advance(0.2)


FAULTS = (turned, lost, added, crosstalk, glitch, bouncing, torn)


def test_no_wrong_number_is_accepted_in_ten_thousand_noisy_frames() -> None:
    wires, chance = Wires(), random.Random(26)
    good = 0
    for _ in range(10_500):
        bits = chance.choice(sorted(FORMATS))
        frame = encode(chance.getrandbits(bits - 2), bits)
        fault = chance.choice(FAULTS)
        at = chance.randrange(bits - 1)
        fault(wires, list(frame), at, chance)
        assert wires.heard() == [], f"{fault.__name__} at {at} of {bits}"
        if chance.random() < 0.05:
            number = chance.getrandbits(24)
            wires.send(encode(number, 26))
            assert wires.heard() == [(Frame(number, 26).text.encode(), ReadKind.IDENTIFIER)]
            good += 1
    dropped = wires.reader.dropped
    assert sum(dropped.values()) == 10_500
    assert set(dropped) == set(Drop)
    assert good > 300, "and the frames between them are read"
    wires.close()


def test_what_slips_through_parity_is_as_rare_as_theory_says() -> None:
    """Every bit is turned with a chance of 1 in 100, as on a very bad wire: measured, not hidden.

    A frame of 26 bits then passes wrong when each half has an even number of turned bits and not
    none: (1 + 0.98**13)**2 / 4 - 0.99**26 = 1.3 %.
    """
    wires, chance = Wires(), random.Random(4)
    outcome: Counter[str] = Counter()
    for _ in range(3_000):
        number = chance.getrandbits(24)
        frame = tuple(bit ^ (chance.random() < 0.01) for bit in encode(number, 26))
        wires.send(frame)
        heard = wires.heard()
        right = heard == [(Frame(number, 26).text.encode(), ReadKind.IDENTIFIER)]
        outcome["right" if right else "wrong" if heard else "dropped"] += 1
    assert outcome["right"] / 3_000 == pytest.approx(0.99**26, abs=0.03)
    assert outcome["wrong"] / 3_000 == pytest.approx(0.013, abs=0.007)
    wires.close()


def test_spike_long_before_a_frame_costs_nothing() -> None:
    wires = Wires()
    wires.pulse(1, seconds=1e-6)
    wires.clock.advance(0.3)
    wires.send(encode(7, 26))
    assert wires.heard() == [(b"26-000-00007", ReadKind.IDENTIFIER)]
    wires.close()


def test_wires_that_never_rest_are_noise_and_keep_no_memory() -> None:
    wires = Wires()
    for _ in range(5_000):
        wires.pulse(1)
        wires.clock.advance(1e-3)
    assert len(vars(wires.reader)["_edges"]) < 200
    wires.clock.advance(0.2)
    assert wires.heard() == []
    wires.send(encode(7, 26))
    assert len(wires.heard()) == 1
    wires.close()


def test_broken_wire_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    wires = Wires()
    for _ in range(WARN_AT * 3):
        wires.send((1, 1, 1))
    assert caplog.text.count("bursts that are no frame") == 1
    wires.close()


def test_rest_of_a_frame_that_python_came_late_for_is_no_frame_of_its_own() -> None:
    """34 bits of which the first 8 were handled before: the other 26 must not pass for a card."""
    clock = FakeClock()
    tell: list[Callable[[Edge], None]] = []

    class Pair:
        def close(self) -> None: ...

    def lend(on_edge: Callable[[Edge], None]) -> Pair:
        tell.append(on_edge)
        return Pair()

    rig = rig_of(WiegandReader("gate", lend, clock, call_later=clock.call_later))
    rig.start()
    ticks = [5.0 + at * 1e-3 for at in range(34)]
    whole = [Edge(bit, tick) for bit, tick in zip((0,) * 8 + encode(7, 26), ticks, strict=True)]
    for edge in whole[:8]:
        tell[0](edge)
    clock.advance(0.06)
    for edge in whole[8:]:
        tell[0](edge)
    clock.advance(0.06)
    assert rig.reads.empty()
    assert rig.reader.dropped == {Drop.LENGTH: 1, Drop.GAP: 1}  # type: ignore[attr-defined]


# Keypads


def key_bits(char: str, bits: int = 4) -> tuple[int, ...]:
    code = {"*": 0xA, "#": 0xB}.get(char, int(char) if char.isdigit() else 0)
    four = tuple(code >> at & 1 for at in (3, 2, 1, 0))
    return four if bits == 4 else (*(bit ^ 1 for bit in four), *four)


def type_in(wires: Wires, text: str, bits: int = 4, each_s: float = 0.4) -> None:
    for char in text:
        wires.send(key_bits(char, bits))
        wires.clock.advance(each_s)


@pytest.mark.parametrize("bits", [4, 8])
def test_keys_become_what_was_typed(bits: int) -> None:
    wires = Wires(keypad=True)
    type_in(wires, "99*4711#", bits)
    assert wires.heard() == [(b"4711", ReadKind.TYPED)]
    assert not wires.reader.dropped
    wires.close()


def test_card_and_pin_come_from_one_pair() -> None:
    wires = Wires(keypad=True)
    wires.send(encode(7, 34))
    type_in(wires, "4711#")
    assert wires.heard() == [
        (b"34-00000-00007", ReadKind.IDENTIFIER),
        (b"4711", ReadKind.TYPED),
    ]
    wires.close()


@pytest.mark.parametrize("text", ["#", "*#", "12*#", "1234567890#"])
def test_no_digits_or_too_many_are_no_entry(text: str) -> None:
    wires = Wires(keypad=True)
    type_in(wires, text)
    assert wires.heard() == []
    wires.close()


def test_entry_that_nobody_goes_on_with_is_overwritten() -> None:
    wires = Wires(keypad=True)
    type_in(wires, "12")
    digits: bytearray = vars(vars(wires.reader)["_entry"])["_digits"]
    assert digits == b"12"
    wires.clock.advance(ENTRY_GAP_S)
    assert digits == b""
    type_in(wires, "34#")
    assert wires.heard() == [(b"34", ReadKind.TYPED)]
    wires.close()


@pytest.mark.parametrize("noise", [(1, 0, 1), (1, 1, 0, 0), (1, 1, 1, 1, 0, 0, 0, 1)])
def test_key_that_was_lost_in_noise_drops_the_entry_whole(noise: tuple[int, ...]) -> None:
    wires = Wires(keypad=True)
    type_in(wires, "12")
    wires.send(noise)
    type_in(wires, "34#")
    assert wires.heard() == []
    type_in(wires, "56#")
    assert wires.heard() == [(b"56", ReadKind.TYPED)]
    wires.close()


@pytest.mark.parametrize("bits", [4, 8])
def test_without_a_keypad_keys_are_noise(bits: int) -> None:
    wires = Wires()
    type_in(wires, "4711#", bits)
    assert wires.heard() == []
    assert wires.reader.dropped == {Drop.LENGTH: 5}
    wires.close()


# The board's part


def lent(board: Any, pins: tuple[int, int] = (D0, D1)) -> Rig:
    rig = rig_of(WiegandReader("gate", lambda on_edge: board.lend(pins, on_edge)))
    rig.start()
    return rig


@pytest.mark.parametrize(
    ("pins", "said"),
    [
        ((17, 20), "BCM 17 is the line strike"),
        ((20, 20), "both on BCM 20"),
        ((20, 28), "BCM 28 is no pin"),
    ],
)
def test_pins_that_can_not_be_lent_are_refused_on_bench_and_board(
    pins: tuple[int, int], said: str
) -> None:
    clock = FakeClock()
    gpio = GpiozeroBoard(MockFactory(pin_class=MockPin), Wiring(), clock, clock.call_later)
    for board in (BenchBoard(clock, clock.call_later), gpio):
        with pytest.raises(DeviceError, match=said):
            lent(board, pins)
        board.close()


def test_pair_is_lent_once_and_again_when_it_was_given_back() -> None:
    clock = FakeClock()
    gpio = GpiozeroBoard(MockFactory(pin_class=MockPin), Wiring(), clock, clock.call_later)
    for board in (BenchBoard(clock, clock.call_later), gpio):
        pins = (7, 12)
        rig = lent(board, pins)
        with pytest.raises(DeviceError, match=r"in use|lent already"):
            lent(board, pins)
        rig.reader.close()
        lent(board, pins).reader.close()
        board.close()
        with pytest.raises(DeviceError, match="closed"):
            lent(board, pins)


def test_lent_pins_are_pulled_up_and_told_falling_edges_alone() -> None:
    wires = Wires()
    assert [(pin.pull, pin.edges) for pin in wires.pins] == [("up", "falling")] * 2
    wires.close()
    assert wires.factory.pin(D0).when_changed is None
