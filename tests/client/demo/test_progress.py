"""The demo's clock: phases add up to the round, whatever order the reports arrive in."""

from __future__ import annotations

import pytest

from bcfl_client.demo.actors import Message, cast
from bcfl_client.demo.progress import RoundClock


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
    first, again, other = ({actor.name: actor.account.address for actor in cast(seed, 3, 2)} for seed in (0, 0, 1))
    assert first == again and list(first) == ["publisher", "trainer-0", "trainer-1", "trainer-2", "miner-0", "miner-1"]
    assert not set(first.values()) & set(other.values())
