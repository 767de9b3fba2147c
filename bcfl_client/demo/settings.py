"""What can be set about a demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bcfl_client.errors import ConfigError

__all__ = ["DemoSettings"]

_MAX_TRAINERS, _MAX_MINERS = 128, 16


@dataclass(frozen=True)
class DemoSettings:
    """One demo. Same settings, same final model, byte for byte. Raises ConfigError for sizes out of range.

    `rpc` None starts an Anvil of its own; `store` None is a folder of the run; `report` names a JSON file to write;
    `folder` holds everything the run leaves behind.
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
