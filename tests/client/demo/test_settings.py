"""Which demos there can be: sizes, adversaries, and the terms that follow."""

from __future__ import annotations

import pytest

from bcfl_client.demo.settings import DemoSettings, parse_adversaries
from bcfl_client.errors import ConfigError


def test_reads_adversaries() -> None:
    assert parse_adversaries("lazy=1, poison=2,liar=0") == {"lazy": 1, "poison": 2, "liar": 0}


@pytest.mark.parametrize("text", ["lazy", "lazy=", "lazy=-1", "lazy=x", "lazy=1,lazy=2", "lazy=1,,liar=1", "lazy=9999"])
def test_refuses_what_does_not_read_so(text: str) -> None:
    with pytest.raises(ConfigError, match="KIND=N, KIND=N"):
        parse_adversaries(text)


@pytest.mark.parametrize(
    ("adversaries", "says"),
    [
        ({"lair": 1}, "knows lazy, poison, sleeper, liar, thief, not 'lair'"),
        ({"liar": 2, "thief": 1}, "3 of 6 miners would be liars or thieves.*at least --miners 4"),
        ({"sleeper": 5, "lazy": 5}, "10 bad trainers need at least --trainers 11 honest ones"),
        ({"poison": 3}, "poison=3 of 13 trainers is more than one in 5"),
    ],
)
def test_refuses_too_many(adversaries: dict[str, int], says: str) -> None:
    """Honest participants keep the majority, in either role."""
    with pytest.raises(ConfigError, match=says):
        DemoSettings(adversaries=adversaries)


def test_refuses_more_than_a_task_has_seats() -> None:
    with pytest.raises(ConfigError, match="17 miners together, a task has 16 at most"):
        DemoSettings(miners=15, adversaries={"liar": 2})
    with pytest.raises(ConfigError, match="129 trainers together, a task has 128 at most"):
        DemoSettings(trainers=126, adversaries={"lazy": 3})


def test_terms_of_an_honest_demo_are_the_defaults() -> None:
    terms = DemoSettings(trainers=4, miners=2).terms()
    assert (terms["trainer_slots"], terms["min_trainers"], terms["miner_slots"]) == (4, 4, 2)
    assert (terms["min_window"], terms["fast_blocks"], terms["open_window"]) == (0, 0, 60)


def test_terms_with_adversaries() -> None:
    """Seats for them, little patience; a window of some seconds for a liar; fast blocks when asked for."""
    terms = DemoSettings(adversaries={"lazy": 1, "thief": 2}).terms()
    assert (terms["trainer_slots"], terms["min_miners"]) == (11, 5)
    assert terms["min_window"] == 0 and terms["open_window"] < 10 and terms["max_strikes"] == 2
    assert DemoSettings(adversaries={"liar": 1}).terms()["min_window"] >= 2
    fast = DemoSettings(fast=True).terms()
    assert fast["fast_blocks"] > 0 and fast["min_window"] >= 1
