"""The bench: a twin of every device but the camera, for desks, stories and tests.

Each twin fulfils its port and has a second side, the world's: a hand that presses the button,
pushes the door or taps a card. `make run` uses it, tests use it instead of patching, and
`hw.bench_remote` lends the world's side to another process. It must never be kinder than the
hardware: the strike has the same guard, a door that is pushed opens only while the strike is
released, a broken lamp reads dark. With a `FakeClock` everything is deterministic. Whoever
listens to a twin is called while the twin is locked, and must only queue, as with real drivers.
What changes with this file: the story of `make run` and every test that stands at a door.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hw.bench_reader import BenchReader as BenchReader
from hw.bench_wiegand import BenchPair, BenchPanel
from hw.errors import DeviceError
from hw.ports import (
    Clock,
    Input,
    InputChange,
    OnEdge,
    OnInput,
    Tone,
)
from hw.strike import GuardedStrike
from hw.timers import CallLater, ThreadTimers
from hw.wiring import PANEL_LINES, LineName, Wiring

LOG_CHANGES = 10_000
"""So many changes are remembered: a bench may run for weeks."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line has changed: `active` is its logical level since `mono_s`.

    For the buzzer `active` is always True and `tone` says what is played.
    """

    line: LineName
    active: bool
    mono_s: float
    tone: Tone | None = None


OnChange = Callable[[LineChange], None]
"""Called for every change, in order, while the bench is locked: only queue."""

Unsubscribe = Callable[[], None]


class BenchBoard:
    """The twin of a `Board`, and the door behind it. Thread-safe.

    `clock` is monotonic (s). `call_later` is `FakeClock.call_later` in tests; without it the
    bench has the same two timer threads as a real board. `unwired` lines are not there: inputs,
    the alarm contact, the panel's lines. Everything else of the wiring table is.
    """

    def __init__(
        self,
        clock: Clock = time.monotonic,
        call_later: CallLater | None = None,
        unwired: Iterable[Input | LineName] = (),
    ) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._timers: list[ThreadTimers] = []
        self._levels = dict.fromkeys(LineName, False)
        for name in (LineName.SIGN_SENSE, *(LineName(line.value) for line in unwired)):
            self._levels.pop(name, None)
        self._lent: dict[tuple[int, int], BenchPair] = {}
        self._log: deque[LineChange] = deque(maxlen=LOG_CHANGES)
        self._listeners: list[OnChange] = []
        self._on_input: OnInput | None = None
        self._is_closed = False
        self._call_later = call_later or self._thread("bench-world").call_later
        strike_timer = call_later or self._thread("bench-strike-guard").call_later
        self._strike = GuardedStrike(self._set_strike, self._read_strike, clock, strike_timer)
        self._sign = BenchLamp(lambda lit: self._set(LineName.SIGN, lit), self._read_sign)
        self._alarm = BenchLamp(lambda on: self._set(LineName.ALARM, on), self._read_alarm)
        self._panel = BenchPanel(is_wired=self._levels.keys() >= set(PANEL_LINES))
        self._buzzer = BenchBuzzer(self._note_tone)

    @property
    def strike(self) -> GuardedStrike:
        """The relay, with the same guard as the real one."""
        return self._strike

    @property
    def sign(self) -> BenchLamp:
        """The signage LED; `break_sign` breaks it."""
        return self._sign

    @property
    def buzzer(self) -> BenchBuzzer:
        """A buzzer that notes what it is told to play."""
        return self._buzzer

    @property
    def alarm(self) -> BenchLamp:
        """The alarm contact; where it is unwired it never reads set."""
        return self._alarm

    @property
    def panel(self) -> BenchPanel:
        """A panel that notes what it is sent."""
        return self._panel

    def lend(self, bcm: tuple[int, int], on_edge: OnEdge) -> BenchPair:
        """As the port says. The world's side finds the pair in `lent`."""
        with self._lock:
            if self._is_closed:
                raise DeviceError("The board is closed; open it anew.")
            Wiring().check_lent("A reader's Wiegand lines", bcm)
            taken = {pin for pins, pair in self._lent.items() if not pair.is_closed for pin in pins}
            if taken & set(bcm):
                raise DeviceError(f"The pins BCM {bcm[0]} and {bcm[1]} are lent already.")
            self._lent[bcm] = BenchPair(on_edge, self._clock)
            return self._lent[bcm]

    def start(self, on_change: OnInput) -> Mapping[Input, bool]:
        """As the port says. Raises DeviceError when closed or already started."""
        with self._lock:
            if self._is_closed or self._on_input is not None:
                raise DeviceError("The board is closed or already started; open it anew.")
            self._on_input = on_change
            return {Input(name.value): on for name, on in self._levels.items() if _is_input(name)}

    def close(self) -> None:
        """Secure the strike, darken the sign; hear and say nothing more."""
        if self._is_closed:
            return
        self._strike.close()
        self._sign.close()
        self._alarm.close()
        self._buzzer.close()
        self._panel.close()
        with self._lock:
            self._is_closed = True
            self._on_input = None
            for pair in self._lent.values():
                pair.close()
        for timers in self._timers:
            timers.close()

    # The world's side.

    @property
    def lent(self) -> Mapping[tuple[int, int], BenchPair]:
        """The pairs of pins that drivers have, by their BCM numbers: the world pulses them."""
        return dict(self._lent)

    @property
    def log(self) -> tuple[LineChange, ...]:
        """The newest LOG_CHANGES changes of all lines, oldest first."""
        with self._lock:
            return tuple(self._log)

    @property
    def levels(self) -> Mapping[LineName, bool]:
        """The logical level of every line that is wired, now; the buzzer's is always False."""
        with self._lock:
            return dict(self._levels)

    def subscribe(self, listener: OnChange) -> Unsubscribe:
        """Call `listener` for every change from now on; the answer, called, ends that."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._unsubscribe(listener)

    def press(self, line: Input, for_s: float = 0.2) -> None:
        """Make an input active, and inactive again after `for_s` (0 < for_s <= 60)."""
        if not 0 < for_s <= 60:
            raise ValueError(f"A press of {for_s} s is not between 0 and 60 s.")
        with self._lock:
            self.set_input(line, True)
            self._call_later(for_s, lambda: self.set_input(line, False))

    def set_input(self, line: Input, active: bool) -> None:
        """Set an input's logical level. Raises DeviceError where it is not wired."""
        name = LineName(line.value)
        with self._lock:
            if name not in self._levels:
                raise DeviceError(f"The line {line.value} is not wired on this bench.")
            if self._levels[name] is not active:
                self._set(name, active)
                self._tell_terminal(line, active)

    def push_door(self) -> bool:
        """Push: it opens only while the strike is released. Returns whether it stands open now."""
        with self._lock:
            if self._levels[LineName.STRIKE]:
                self.set_input(Input.DOOR_CONTACT, True)
            return self._levels[LineName.DOOR_CONTACT]

    def close_door(self) -> None:
        """The door falls shut."""
        self.set_input(Input.DOOR_CONTACT, False)

    def force_door(self) -> None:
        """Somebody opens the door without the strike."""
        self.set_input(Input.DOOR_CONTACT, True)

    def break_sign(self) -> None:
        """The LED burns out: it is dark and reads dark, whatever the terminal sets."""
        self._sign.break_lamp()

    def mend_sign(self) -> None:
        """A new LED."""
        self._sign.mend_lamp()

    def _thread(self, name: str) -> ThreadTimers:
        timers = ThreadTimers(name, self._clock)
        self._timers.append(timers)
        return timers

    def _unsubscribe(self, listener: OnChange) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _set_strike(self, energised: bool) -> None:
        self._set(LineName.STRIKE, energised)

    def _read_strike(self) -> bool:
        with self._lock:
            return self._levels[LineName.STRIKE]

    def _read_sign(self) -> bool:
        with self._lock:
            return self._levels[LineName.SIGN]

    def _read_alarm(self) -> bool:
        with self._lock:
            return self._levels.get(LineName.ALARM, False)

    def _set(self, name: LineName, active: bool) -> None:
        """A line that is not wired stays as it is."""
        with self._lock:
            if self._levels.get(name, active) is not active:
                self._levels[name] = active
                self._note(LineChange(name, active, self._clock()))

    def _note_tone(self, tone: Tone) -> None:
        with self._lock:
            self._note(LineChange(LineName.BUZZER, True, self._clock(), tone))

    def _note(self, change: LineChange) -> None:
        self._log.append(change)
        for listener in tuple(self._listeners):
            listener(change)

    def _tell_terminal(self, line: Input, active: bool) -> None:
        if self._on_input is not None:
            self._on_input(InputChange(line, active, self._clock()))


class BenchLamp:
    """The twin of the signage LED, or of the alarm contact; what reads back is the light."""

    def __init__(self, shine: Callable[[bool], None], reads_lit: Callable[[], bool]) -> None:
        self._shine = shine
        self._reads_lit = reads_lit
        self._lock = threading.Lock()
        self._is_set = False
        self._is_broken = False
        self._is_closed = False

    def set(self, lit: bool) -> None:
        """Light or darken it. Raises DeviceError after `close`."""
        with self._lock:
            self._refuse_when_closed()
            self._is_set = lit
            self._shine(lit and not self._is_broken)

    @property
    def is_lit(self) -> bool:
        """Whether it shines. Raises DeviceError after `close`."""
        self._refuse_when_closed()
        return self._reads_lit()

    def break_lamp(self) -> None:
        """It shines no more."""
        with self._lock:
            self._is_broken = True
            self._shine(False)

    def mend_lamp(self) -> None:
        """It shines again if it is set."""
        with self._lock:
            self._is_broken = False
            self._shine(self._is_set and not self._is_closed)

    def close(self) -> None:
        """Dark, for good."""
        with self._lock:
            self._is_closed = True
            self._is_set = False
            self._shine(False)

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise DeviceError("This output is closed; open the board again.")


class BenchBuzzer:
    """The twin of the buzzer: it hands each tone on."""

    def __init__(self, note: Callable[[Tone], None]) -> None:
        self._note = note
        self._is_closed = False

    def play(self, tone: Tone) -> None:
        """Note it; silent after `close`."""
        if not self._is_closed:
            self._note(tone)

    def close(self) -> None:
        """Silence, for good."""
        self._is_closed = True


class BenchSupervisor:
    """The twin of a `Supervisor`: it remembers what it was told."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self.is_ready = False
        self.is_stopping = False
        self.pings_s: list[float] = []
        """When each pass of the loop was reported (mono s)."""
        self.sentences: list[str] = []
        """What `status` was told, oldest first."""

    def ready(self) -> None:
        """Start-up is over."""
        self.is_ready = True

    def ping(self) -> None:
        """One pass of the loop."""
        self.pings_s.append(self._clock())

    def status(self, sentence: str) -> None:
        """What is going on."""
        self.sentences.append(sentence)

    def stopping(self) -> None:
        """Shutting down on purpose."""
        self.is_stopping = True


def _is_input(name: LineName) -> bool:
    return name.value in {line.value for line in Input}
