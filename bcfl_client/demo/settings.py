"""What can be set about a demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bcfl_client.errors import ConfigError
from bcfl_client.terms import TaskTerms, make_terms

__all__ = ["BAD_MINERS", "BAD_TRAINERS", "DemoSettings", "parse_adversaries"]

BAD_TRAINERS = ("lazy", "poison", "sleeper")
BAD_MINERS = ("liar", "thief")

_MAX_TRAINERS, _MAX_MINERS = 128, 16
_POISONED = 5  # trainers to one that poisons: what the threat model promises to withstand

# Seconds. Who sleeps or cheats makes others wait for the end of a phase; on one machine nobody needs long.
_ADVERSE: dict[str, int | str] = {
    "max_strikes": 2,
    "pay_score": 5000,
    "reveal_window": 4,
    "open_window": 4,
    "challenge_window": 4,
    "response_window": 2,
}
_MIN_WINDOW = 3  # seconds in which a liar can be refuted, also when all miners agree
_FAST: dict[str, int | str] = {"fast_blocks": 10_000, "min_window": 1}


@dataclass(frozen=True)
class DemoSettings:
    """One demo. Same settings, same final model, byte for byte. Raises ConfigError for sizes out of range.

    `rpc` None starts an Anvil of its own; `store` None is a folder of the run; `report` names a JSON file to write;
    `folder` holds everything the run leaves behind. `adversaries` says how many of each kind come in addition to the
    honest `trainers` and `miners`; `fast` lets miners with a good record propose blocks without a vote.
    """

    seed: int = 0
    rounds: int = 10
    trainers: int = 10
    miners: int = 3
    dataset: str = "mnist"
    model: str = "2nn"
    partition: str = "dirichlet:0.5"
    rpc: str | None = None
    store: str | None = None
    report: Path | None = None
    folder: Path = Path(".bcfl")
    adversaries: Mapping[str, int] = field(default_factory=dict)
    fast: bool = False

    def __post_init__(self) -> None:
        for name, value, high in (
            ("rounds", self.rounds, 1000),
            ("trainers", self.trainers, _MAX_TRAINERS),
            ("miners", self.miners, _MAX_MINERS),
        ):
            if not 1 <= value <= high:
                raise ConfigError(f"--{name} must be from 1 to {high}, not {value}")
        if self.seed < 0:
            raise ConfigError("--seed is not negative")
        self._check_adversaries()

    def count(self, kinds: tuple[str, ...]) -> int:
        """How many adversaries of these kinds there are."""
        return sum(self.adversaries.get(kind, 0) for kind in kinds)

    @property
    def trainer_slots(self) -> int:
        """Seats for trainers of both sorts."""
        return self.trainers + self.count(BAD_TRAINERS)

    @property
    def miner_slots(self) -> int:
        """Seats for miners of both sorts."""
        return self.miners + self.count(BAD_MINERS)

    def terms(self) -> TaskTerms:
        """The task's terms: with adversaries, short windows and little patience; with a liar, time to refute it."""
        given: dict[str, int | str] = {
            "rounds": self.rounds,
            "trainer_slots": self.trainer_slots,
            "min_trainers": self.trainer_slots,
            "miner_slots": self.miner_slots,
            "min_miners": self.miner_slots,
        }
        if self.fast:
            given |= _FAST
        if any(self.adversaries.values()):
            given |= _ADVERSE
        if self.adversaries.get("liar"):
            given["min_window"] = _MIN_WINDOW
        return make_terms(**given)

    def _check_adversaries(self) -> None:
        for kind in self.adversaries:
            if kind not in BAD_TRAINERS + BAD_MINERS:
                raise ConfigError(f"--adversaries knows {', '.join(BAD_TRAINERS + BAD_MINERS)}, not {ascii(kind)[:40]}")
        bad = self.count(BAD_MINERS)
        if bad >= self.miners:
            raise ConfigError(
                f"--adversaries: {bad} of {self.miner_slots} miners would be liars or thieves; votes need an honest "
                f"majority, so name at least --miners {bad + 1}"
            )
        if self.count(BAD_TRAINERS) >= self.trainers:
            count = self.count(BAD_TRAINERS)
            raise ConfigError(f"--adversaries: {count} bad trainers need at least --trainers {count + 1} honest ones")
        if (poison := self.adversaries.get("poison", 0)) * _POISONED > self.trainer_slots:
            raise ConfigError(
                f"--adversaries: poison={poison} of {self.trainer_slots} trainers is more than one in {_POISONED}, "
                "which no model promises to survive; name more --trainers"
            )
        for what, slots, high in (
            ("trainers", self.trainer_slots, _MAX_TRAINERS),
            ("miners", self.miner_slots, _MAX_MINERS),
        ):
            if slots > high:
                raise ConfigError(f"--{what} and --adversaries are {slots} {what} together, a task has {high} at most")


def parse_adversaries(text: str) -> dict[str, int]:
    """Counts by kind from "lazy=1,liar=1". Raises ConfigError for what does not read so, or names a kind twice."""
    counts: dict[str, int] = {}
    for part in text.split(","):
        kind, _, number = part.strip().partition("=")
        if not number.isascii() or not number.isdigit() or len(number) > 3 or kind in counts:
            wanted = "KIND=N, KIND=N, ... with each kind once, for example lazy=1,liar=1"
            raise ConfigError(f"--adversaries takes {wanted}, not {ascii(text)[:80]}")
        counts[kind] = int(number)
    return counts
