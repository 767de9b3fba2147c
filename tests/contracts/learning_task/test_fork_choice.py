"""`LearningTask.finalise`: which of several blocks with the truth becomes the head, by the task's fork rule."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.disputes import LIE, Case
from ..support.events import log
from ..support.kinds import Fork, Phase
from ..support.models import Models
from ..support.play import Play

FULL, HALF = [(True, 100, 100)], [(True, 50, 100)]  # services with a reputation of 1 and of 1/2


def forks(publish: Any, rule: Fork, *proposers: int, liar: int | None = None) -> Case:
    """Blocks of the `proposers`, in that order; a `liar` among them carries something else."""
    play = publish(forkRule=rule, forkWindow=30).until(Phase.SEAL)
    case = Case.of(play, {} if liar is None else {liar: Models.of(play).lie(LIE)})
    case.seal()
    for seat in proposers:
        case.propose(seat)
    if len(proposers) < 3:
        play.let_pass(Phase.MINE)
        case.open()
    return case


def head(play: Play) -> int:
    """The seat whose block becomes the head; what the task then stands on is that block."""
    play.let_pass(Phase.CHALLENGE)
    hashes = [bytes(play.task.miner(seat)["blockHash"]) for seat in range(3)]
    block = log(play.task.finalise(*play.medians(), {"from": play.publisher}), "RoundFinalised")
    assert bytes(play.task.head()["blockHash"]) == block["blockHash"] == hashes[block["seat"]]
    return block["seat"]


def lowest(case: Case, *seats: int) -> int:
    """The seat among `seats` with the lowest block hash."""
    return min(seats, key=lambda seat: bytes(case.task.miner(seat)["blockHash"]))


def known(reputation: Any, accounts: Any, case: Case, records: dict[int, list[tuple[bool, int, int]]]) -> None:
    """Writes services into the records of miners, by seat."""
    writer = accounts.at(case.task.address, force=True)
    for seat, services in records.items():
        for service in services:
            chain.send(writer, reputation.recordRound, [(str(case.play.miners[seat]), *service)])


# ---------------------------------------------------------------------- longest chain: the first one


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 1)], ids=str)
def test_first_block(publish: Any, order: tuple[int, int]) -> None:
    """The contract's counter decides, not the hash, nor the seat."""
    case = forks(publish, Fork.LONGEST, *order)
    assert head(case.play) == order[0]


def test_first_block_with_the_truth(publish: Any) -> None:
    """A lie that came first is passed over."""
    case = forks(publish, Fork.LONGEST, 1, 2, 0, liar=1)
    assert head(case.play) == 2


# ---------------------------------------------------------------------- highest reputation


@pytest.mark.parametrize(("records", "winner"), [({0: HALF, 1: FULL}, 1), ({0: FULL, 1: HALF}, 0), ({1: HALF}, 1)])
def test_highest_reputation(
    publish: Any, reputation: Any, accounts: Any, records: dict[int, list[tuple[bool, int, int]]], winner: int
) -> None:
    """The better record wins, whoever came first."""
    for order in ((0, 1), (1, 0)):
        case = forks(publish, Fork.REPUTATION, *order)
        known(reputation, accounts, case, records)
        assert chain.ahead(lambda case=case: head(case.play)) == winner


@pytest.mark.parametrize("records", [{}, {0: FULL, 1: FULL}], ids=["unknown", "equal"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_equal_reputation(
    publish: Any, reputation: Any, accounts: Any, records: dict[int, Any], order: tuple[int, int]
) -> None:
    """Of equal ones the lower block hash wins."""
    case = forks(publish, Fork.REPUTATION, *order)
    known(reputation, accounts, case, records)
    assert head(case.play) == lowest(case, 0, 1)


def test_third_is_lower(publish: Any, reputation: Any, accounts: Any) -> None:
    """A tie at the top is one of the best only."""
    case = forks(publish, Fork.REPUTATION, 2, 1, 0)
    known(reputation, accounts, case, {0: FULL, 1: HALF, 2: FULL})
    assert head(case.play) == lowest(case, 0, 2)


def test_best_record_lied(publish: Any, reputation: Any, accounts: Any) -> None:
    """No reputation makes a lie the head."""
    case = forks(publish, Fork.REPUTATION, 0, 1, 2, liar=0)
    known(reputation, accounts, case, {0: FULL, 1: HALF})
    assert head(case.play) == 1


# ---------------------------------------------------------------------- smallest distance


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 2)], ids=str)
def test_smallest_distance(publish: Any, reputation: Any, accounts: Any, order: tuple[int, ...]) -> None:
    """All blocks with the truth are equally near to it: the lowest hash wins, whatever the order and the records."""
    case = forks(publish, Fork.DISTANCE, *order)
    known(reputation, accounts, case, {0: FULL})
    assert head(case.play) == lowest(case, *order)


def test_distant_block(publish: Any) -> None:
    """A lie is not near at all."""
    case = forks(publish, Fork.DISTANCE, 0, 1, 2, liar=1)
    assert head(case.play) == lowest(case, 0, 2)
