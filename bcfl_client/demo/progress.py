"""What the demo shows while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bcfl_client.demo.actors import Message

__all__ = ["Progress", "RoundClock"]

_FEW = 4
_PROPOSED = ("proposed", "proposed without a vote")
_ORDER = ("trained", "committed", "revealed", "checked", "sealed", "proposed", "opened")


@dataclass
class RoundClock:
    """When what happened in a round, by what the actors reported (seconds of the wall clock)."""

    start: float
    who: dict[str, set[str]] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    proposers: list[str] = field(default_factory=list)
    refuted: list[str] = field(default_factory=list)
    hashes: int = 0
    fast: bool = False
    end: float = 0.0

    def note(self, message: Message) -> None:
        """Takes in a message of this round."""
        verb = "proposed" if message.verb in _PROPOSED else message.verb
        self.who.setdefault(verb, set()).add(message.actor)
        self.last[verb] = message.at
        if verb == "proposed":
            self.fast = message.verb == _PROPOSED[1]
            self.proposers.append(message.actor)
            self.hashes += int(str(message.facts["hashes"]))

    @property
    def proposer(self) -> str:
        """Whose block it seems to be, or nobody's."""
        return next((name for name in self.proposers if name not in self.refuted), "")

    def votes(self) -> int:
        """Miners whose seal is open: by a proposal or by opening it."""
        return len(self.who.get("proposed", set()) | self.who.get("opened", set()))

    def seconds(self) -> dict[str, float]:
        """Length of each phase: training up to the last trained model, then what each phase took after it."""
        marks = [("train", "trained"), ("commit", "committed"), ("reveal", "revealed"), ("check", "checked")]
        marks += [("seal", "sealed"), ("mine", "proposed")]
        before, lengths = self.start, {}
        for name, verb in marks:
            now = max(before, self.last.get(verb, before))
            lengths[name], before = round(now - before, 3), now
        lengths["verify"] = round(max(self.end, before) - before, 3)
        return lengths


class Progress:
    """Lines on standard output; on a terminal the running round's line is rewritten in place."""

    def __init__(self, trainers: int, miners: int, rounds: int) -> None:
        self._of = {verb: trainers if verb in _ORDER[:3] else miners for verb in _ORDER}
        self._rounds = rounds
        self._live = sys.stdout.isatty()
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """One line that stays."""
        self._clear()
        print(f"{time.monotonic() - self._start:6.1f} s  {text}", flush=True)

    def round(self, number: int, clock: RoundClock) -> None:
        """The running round, on a terminal only."""
        if self._live:
            self._clear()
            print(f"          {self._line(number, clock)}{self._missing(clock)}", end="", flush=True)

    def finished(self, number: int, clock: RoundClock, accuracy: float) -> None:
        """A round that is over."""
        seconds = clock.seconds()
        rest = sum(seconds.values()) - seconds["train"]
        self.say(f"{self._line(number, clock)}  accuracy {accuracy:.4f}  train {seconds['train']:.1f} s + {rest:.1f} s")

    def refuted(self, message: Message, liar: str, clocks: Mapping[int, RoundClock]) -> None:
        """A false result that somebody has shown to be one; said once, whoever else shows it too."""
        number = int(str(message.facts["round"]))
        if liar in clocks[number].refuted:
            return
        clocks[number].refuted.append(liar)
        what = f"parameter {message.facts['coordinate']} of the aggregate of {liar} is false"
        self.say(f"round {number:>2}/{self._rounds}  {what}: shown to the contract by {message.actor}")

    def _line(self, number: int, clock: RoundClock) -> str:
        parts = [f"round {number:>2}/{self._rounds}"]
        for verb in _ORDER:
            if verb == "proposed":
                if clock.proposer:
                    parts.append(f"block by {clock.proposer}" + (" without a vote" if clock.fast else ""))
            elif verb in clock.who:
                # A block opens its miner's seal; who opened before it mined again is not counted twice.
                done = clock.who[verb] - ({clock.proposer} if verb == "opened" else set())
                parts.append(f"{verb} {len(done)}/{self._of[verb] - (verb == 'opened')}")
        return "  ".join(parts)

    def _missing(self, clock: RoundClock) -> str:
        """Who is being waited for, when it is only a few."""
        verb = next((verb for verb in reversed(_ORDER) if verb in clock.who), None)
        if verb is None or verb == "proposed":
            return ""
        role = "trainer" if verb in _ORDER[:3] else "miner"
        left = {f"{role}-{i}" for i in range(self._of[verb])} - clock.who[verb]
        if verb == "opened":
            left.discard(clock.proposer)
        return f"  waiting for {', '.join(sorted(left))}" if 0 < len(left) <= _FEW else ""

    def _clear(self) -> None:
        if self._live:
            print("\r\x1b[2K", end="")
