"""The file that describes a task to publish: what is learnt, how trainers train, and the terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bcfl_client.config import Table, read_toml
from bcfl_client.errors import ConfigError
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.terms import TaskTerms, make_terms, read_terms

__all__ = ["TaskConfig", "read_task_config"]

_LEARNING = ("dataset", "model", "seed", "description")


@dataclass(frozen=True)
class TaskConfig:
    """A task to publish. `dataset` as in `load_dataset`, `model` as in `build_model`, drawn by `seed`."""

    dataset: str = "mnist"
    model: str = "2nn"
    seed: int = 0
    description: str = ""
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    terms: TaskTerms = field(default_factory=make_terms)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"seed is {self.seed}, allowed are 0 to 2^63 - 1")


def read_task_config(path: Path) -> TaskConfig:
    """The task that the TOML file at `path` describes. Raises ConfigError, naming the key that is wrong."""
    file = read_toml(path)
    learning, training, terms = file.table("learning"), file.table("training"), file.table("terms")
    file.finish(("learning", "training", "terms"))
    given = {
        "dataset": learning.text("dataset"),
        "model": learning.text("model"),
        "seed": learning.integer("seed"),
        "description": learning.text("description"),
    }
    learning.finish(_LEARNING)
    values: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    return TaskConfig(**values, hyperparameters=_hyperparameters(training), terms=read_terms(terms))


def _hyperparameters(table: Table) -> Hyperparameters:
    values = table.rest()
    known = tuple(Hyperparameters.__dataclass_fields__)
    Table({key: value for key, value in values.items() if key not in known}, table.where).finish(known)
    try:
        return Hyperparameters(**values)
    except ConfigError as error:
        raise ConfigError(f"{table.where}: {error}") from error
