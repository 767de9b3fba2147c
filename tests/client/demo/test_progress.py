"""The demo's clock: phases add up to the round, whatever order the reports arrive in."""

from __future__ import annotations

import pytest

from bcfl_client.demo.actors import Message, cast
from bcfl_client.demo.progress import RoundClock
from bcfl_client.demo.settings import DemoSettings


def test_phases_add_up() -> None:
    clock = RoundClock(100.0)
    verbs = [("trained", 101.0), ("trained", 102.0), ("committed", 102.5), ("revealed", 103.0), ("checked", 104.0)]
    for verb, at in [*verbs, ("sealed", 104.5), ("committed", 102.2)]:
        clock.note(Message("trainer-0", verb, {"round": 1}, at))
    clock.note(Message("miner-1", "proposed", {"round": 1, "hashes": 10}, 105.0))
    clock.end = 106.0
    seconds = clock.seconds()
    assert seconds["train"] == 2.0 and seconds["check"] == 1.0 and seconds["verify"] == 1.0
    assert sum(seconds.values()) == pytest.approx(6.0, abs=0.5)
    assert clock.proposer == "miner-1" and clock.who["committed"] == {"trainer-0"}


def test_cast_follows_from_the_seed() -> None:
    """Same seed, same keys; another seed, none in common."""
    first, again, other = (
        {actor.name: actor.account.address for actor in cast(DemoSettings(seed=seed, trainers=3, miners=2))}
        for seed in (0, 0, 1)
    )
    assert first == again and list(first) == ["publisher", "trainer-0", "trainer-1", "trainer-2", "miner-0", "miner-1"]
    assert not set(first.values()) & set(other.values())


def test_a_refuted_block_is_nobodys() -> None:
    """The round's block is the one that was mined again."""
    clock = RoundClock(0.0)
    for who in ("liar-0", "miner-2"):
        clock.note(Message(who, "proposed", {"round": 1, "hashes": 5}, 1.0))
    assert clock.proposer == "liar-0"
    clock.refuted.append("liar-0")
    assert clock.proposer == "miner-2" and clock.hashes == 10


def test_a_block_without_a_vote() -> None:
    clock = RoundClock(0.0)
    clock.note(Message("miner-0", "proposed without a vote", {"round": 1, "hashes": 5}, 1.0))
    assert clock.fast and clock.proposer == "miner-0"
    # Drawn to be voted on after all.
    clock.note(Message("miner-1", "proposed", {"round": 1, "hashes": 5}, 2.0))
    assert not clock.fast


def test_who_comes_with_adversaries() -> None:
    """They are added to the honest ones, whose keys stay the same; a thief has a second account, a liar is watched."""
    honest = DemoSettings(trainers=3, miners=4)
    bad = DemoSettings(trainers=3, miners=4, adversaries={"lazy": 2, "thief": 1, "liar": 2})
    names = [actor.name for actor in cast(bad)]
    assert names[8:] == ["lazy-0", "lazy-1", "liar-0", "liar-1", "thief-0", "outsider-0", "watcher-0"]
    assert [actor.account.address for actor in cast(bad)[:8]] == [actor.account.address for actor in cast(honest)]
    assert [actor.name for actor in cast(bad) if not actor.honest] == [*names[8:13], "outsider-0"]
    assert [actor.name for actor in cast(bad) if actor.trains][3:] == ["lazy-0", "lazy-1"]
