"""The terms of a task that a publisher chooses: unit, default and allowed range of each, as the contract has them.

`docs/terms.md` explains them one by one; `contracts/libraries/TermsRules.sol` enforces the ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from bcfl_client.config import Table, format_wei, parse_wei
from bcfl_client.errors import ConfigError

__all__ = ["TERMS", "TaskTerms", "Term", "make_terms", "read_terms"]

Bound = int | str
"""A number, or a product of numbers and terms: `4 x challenge_bond`."""

_DAY = 86_400
_WINDOW = 30 * _DAY
_ETHER, _GWEI = 10**18, 10**9
_REWARD = 2**79


@dataclass(frozen=True)
class Term:
    """One term. `default` gives way to the nearest allowed value where another term narrows the range."""

    name: str
    unit: str
    default: int
    low: Bound
    high: Bound

    @property
    def depends(self) -> bool:
        """Whether another term bounds this one."""
        return isinstance(self.low, str) or isinstance(self.high, str)

    def show(self, value: int) -> str:
        """`value` for people."""
        return format_wei(value) if self.unit.startswith("wei") else f"{value}"


TERMS = (
    Term("aggregation_rule", "rule", 0, 0, 2),
    Term("trim_share", "basis points", 2000, 0, 4999),
    Term("scoring_rule", "rule", 0, 0, 5),
    Term("fork_rule", "rule", 0, 0, 2),
    Term("rounds", "rounds", 10, 1, 10_000),
    Term("trainer_slots", "trainers", 10, 1, 128),
    Term("miner_slots", "miners", 3, 1, 16),
    Term("min_trainers", "trainers", 3, 1, "trainer_slots"),
    Term("min_miners", "miners", 3, 1, "miner_slots"),
    Term("min_updates", "updates", 2, 1, "min_trainers"),
    Term("max_void_rounds", "rounds", 3, 0, 100),
    Term("max_strikes", "strikes", 3, 1, 100),
    Term("min_samples", "samples", 10, 1, 2**32 - 1),
    Term("max_training_time", "seconds", 60, 1, _WINDOW),
    Term("close_when_full", "yes/no", 1, 0, 1),
    Term("reward", "wei", _ETHER, 1, _REWARD),
    Term("max_price", "wei per sample and round", 1000 * _GWEI, 1, 2**64 - 1),
    Term("max_fee", "wei per block", _ETHER // 50, 0, _REWARD),
    Term("trainer_deposit", "wei per sample", 1000 * _GWEI, 1, 2**47),
    Term("miner_deposit", "wei", _ETHER // 25, "4 x challenge_bond", _REWARD),
    Term("challenge_bond", "wei", _ETHER // 100, 1, 2**76),
    Term("penalty", "wei", 10_000 * _GWEI, 0, "trainer_deposit x min_samples"),
    Term("miner_share", "basis points", 2000, 1, 9999),
    Term("slash_share", "basis points", 5000, 1000, 10_000),
    Term("early_bonus", "basis points", 2000, 0, 10_000),
    Term("target_accuracy", "basis points", 0, 0, 10_000),
    Term("pay_score", "basis points", 1000, 0, 10_000),
    Term("start_quality", "of 65,535", 32_768, 1, 65_535),
    Term("fast_blocks", "basis points", 0, 0, 65_535),
    Term("fast_rewards", "basis points", 3000, 0, 10_000),
    Term("bidding_window", "seconds", 300, 1, _WINDOW),
    Term("commit_window", "seconds", 120, "max_training_time", _WINDOW),
    Term("reveal_window", "seconds", 60, 1, _WINDOW),
    Term("check_window", "seconds", 60, 1, _WINDOW),
    Term("seal_window", "seconds", 60, 1, _WINDOW),
    Term("mine_window", "seconds", 120, 1, _WINDOW),
    Term("fork_window", "seconds", 0, 0, _WINDOW),
    Term("open_window", "seconds", 60, 1, _WINDOW),
    Term("min_window", "seconds", 0, 0, "challenge_window"),
    Term("challenge_window", "seconds", 60, 1, _WINDOW),
    Term("response_window", "seconds", 60, 1, _WINDOW),
    Term("audit_period", "seconds", 7 * _DAY, 0, 365 * _DAY),
    Term("difficulty", "hashes per block", 2**14, 1, 2**64),
    Term("block_time", "seconds", 0, 0, _WINDOW),
)
_BY_NAME = {term.name: term for term in TERMS}


@dataclass(frozen=True)
class TaskTerms:
    """A complete set of terms by name. Raises ConfigError, naming the first one out of its range."""

    values: Mapping[str, int]

    def __post_init__(self) -> None:
        for term in TERMS:
            value, (low, high) = self.values[term.name], self.range_of(term)
            if not low <= value <= high:
                raise ConfigError(
                    f"terms: {term.name} is {term.show(value)}, allowed are {_end(term, term.low, low)} to "
                    f"{_end(term, term.high, high)}; see docs/terms.md"
                )

    def __getitem__(self, name: str) -> int:
        return self.values[name]

    def range_of(self, term: Term) -> tuple[int, int]:
        """Smallest and largest allowed value of `term`, the others being what they are."""
        return _bound(term.low, self.values), _bound(term.high, self.values)

    def for_contract(self) -> dict[str, int | bool]:
        """The values under the names that the contract uses."""
        named = {_camel(name): value for name, value in self.values.items()}
        return {**named, "closeWhenFull": bool(self.values["close_when_full"])}


def make_terms(**given: int | str) -> TaskTerms:
    """The `given` terms, the rest by default. Amounts of money may be text: "0.5 ether", "20 gwei".

    Raises ConfigError for an unknown name, a value of another type, or one out of its range.
    """
    return _complete({name: _read(name, value) for name, value in given.items()})


def read_terms(table: Table) -> TaskTerms:
    """The terms of a file's table. Raises ConfigError as `make_terms`."""
    try:
        return make_terms(**table.rest())
    except ConfigError as error:
        raise ConfigError(f"{table.where}: {error}") from error


def _read(name: str, value: object) -> int:
    term = _BY_NAME.get(name)
    if term is None:
        raise ConfigError(f"terms: unknown term {ascii(name)[1:-1][:60]}; docs/terms.md lists them all")
    if term.unit == "yes/no":
        if isinstance(value, bool):
            return int(value)
        raise ConfigError(f"terms: {name} must be true or false, not {ascii(value)[:60]}")
    if term.unit.startswith("wei") and isinstance(value, str):
        return parse_wei(value, f"terms: {name}")
    if isinstance(value, bool) or not isinstance(value, int):
        unit = f'{term.unit}, or "0.5 ether", "20 gwei"' if term.unit.startswith("wei") else term.unit
        raise ConfigError(f"terms: {name} must be a whole number ({unit}), not {ascii(value)[:60]}")
    return value


def _complete(given: dict[str, int]) -> TaskTerms:
    values = {term.name: given.get(term.name, term.default) for term in TERMS}
    for term in TERMS:
        if term.name not in given and term.depends:
            low, high = _bound(term.low, values), _bound(term.high, values)
            values[term.name] = min(max(term.default, low), high)
    return TaskTerms(values)


def _bound(bound: Bound, values: Mapping[str, int]) -> int:
    if isinstance(bound, int):
        return bound
    return prod(int(factor) if factor.isdigit() else values[factor] for factor in bound.split(" x "))


def _end(term: Term, bound: Bound, value: int) -> str:
    return f"{term.show(value)} ({bound})" if isinstance(bound, str) else term.show(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
