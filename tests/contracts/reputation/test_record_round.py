"""`Reputation.recordRound`: n/m and s/t of the miners of a round."""

from __future__ import annotations

from typing import Any

from ..support.errors import reverts
from ..support.events import log, logs, plain

FULL = 2**96 - 1


def test_not_a_task(reputation: Any, eve: Any, mia: Any) -> None:
    """Nobody but a task of the factory writes."""
    with reverts("Reputation_NotTask", eve):
        reputation.recordRound([(mia, True, 1, 1)], {"from": eve})


def test_not_even_the_code_of_tasks(reputation: Any, implementation: Any, accounts: Any, mia: Any) -> None:
    """The implementation itself is no task."""
    account = accounts.at(implementation.address, force=True)
    with reverts("Reputation_NotTask", account):
        reputation.recordRound([(mia, True, 1, 1)], {"from": account})


def test_record(reputation: Any, task_account: Any, mia: Any, nick: Any) -> None:
    """Each miner of the round gets its blocks, rounds, received and offered wei."""
    tx = reputation.recordRound([(mia, True, 70, 100), (nick, False, 30, 100)], {"from": task_account})
    assert [tuple(event.values()) for event in logs(tx, "MinerRecorded")] == [
        (mia, 1, 1, 70, 100),
        (nick, 0, 1, 30, 100),
    ]
    assert plain(reputation.minerRecord(mia)) == (1, 1, 70, 100)
    assert plain(reputation.minerRecord(nick)) == (0, 1, 30, 100)


def test_records_add_up(reputation: Any, task_account: Any, mia: Any) -> None:
    """Rounds add to each other."""
    reputation.recordRound([(mia, True, 70, 100)], {"from": task_account})
    tx = reputation.recordRound([(mia, False, 5, 200)], {"from": task_account})
    assert tuple(log(tx, "MinerRecorded").values()) == (mia, 1, 2, 75, 300)
    assert plain(reputation.minerRecord(mia)) == (1, 2, 75, 300)


def test_full_record_stays_full(reputation: Any, task_account: Any, mia: Any) -> None:
    """Sums stop at what the slot holds, so that no record stops a task."""
    reputation.recordRound([(mia, True, FULL, FULL)], {"from": task_account})
    reputation.recordRound([(mia, True, 1, 1)], {"from": task_account})
    assert plain(reputation.minerRecord(mia)) == (2, 2, FULL, FULL)


def test_nobody_served(reputation: Any, task_account: Any) -> None:
    """A round without miners changes nothing."""
    tx = reputation.recordRound([], {"from": task_account})
    assert not logs(tx, "MinerRecorded")
