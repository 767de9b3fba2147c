"""Many accounts' transactions in a few exchanges: all of them in blocks, each with its own outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_account import Account

from bcfl_client.chain.bulk import BulkCall, BulkSender
from bcfl_client.chain.connection import Connection
from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.keys import dev_account
from bcfl_client.chain.sender import Receipt
from bcfl_client.errors import ChainMismatch, ContractReverted, TransactionLost
from bcfl_client.experiments.stage import Stage as Played
from bcfl_client.types import Phase, Stage

if TYPE_CHECKING:
    from tests.integration.conftest import World

TRAINERS = 12


@pytest.fixture
def played(world: World) -> Played:
    """A task in its first Commit, with accounts that are rich."""
    return Played(world.connection, world.contracts.factory, "bulk", TRAINERS, lambda name, receipt: None)


def _commits(played: Played) -> list[BulkCall]:
    calls = []
    for i, (actor, opening) in enumerate(zip(played.trainer_actors, played.openings())):
        place = played.task.place(1, 0, actor.sender.address)
        data = played.task.codec.call("commit", update_digest(place, opening))
        calls.append(BulkCall(played._account("trainer", i), played.task.address, data))
    return calls


def _reveals(played: Played) -> list[BulkCall]:
    return [
        BulkCall(played._account("trainer", i), played.task.address, played.task.codec.call("reveal", *opening.values))
        for i, opening in enumerate(played.openings())
    ]


def test_all_commit_and_reveal(played: Played) -> None:
    """Every trainer's commitment and reveal is in a block, in the order of the calls, and the phases go on."""
    sender = BulkSender(played.connection, played.task.codec)
    openings = played.openings()
    commits = sender.send(_commits(played))
    assert all(isinstance(one, Receipt) for one in commits)
    assert played.task.status().phase == Phase.REVEAL
    reveals = sender.send(_reveals(played))
    assert len({one.transaction for one in [*commits, *reveals] if isinstance(one, Receipt)}) == 2 * TRAINERS
    assert played.task.status().phase == Phase.CHECK
    seats = played.task.trainers()
    assert [seat.account for seat in seats] == [actor.sender.address for actor in played.trainer_actors]
    assert [seat.digest for seat in seats] == [opening.root[:25] for opening in openings]
    assert all(seat.stage == Stage.REVEALED for seat in seats)


def test_each_has_its_own_outcome(played: Played) -> None:
    """A refusal before, one in the block, an account without money: the others do not suffer."""
    sender = BulkSender(played.connection, played.task.codec)
    commits = _commits(played)
    stranger = Account.create()
    played.connection.request("anvil_setBalance", stranger.address, hex(10**18))
    first, second, third = commits[:3]
    outcomes = sender.send(
        [
            first,
            BulkCall(stranger, second.to, second.data),
            BulkCall(stranger, second.to, second.data, gas=100_000),
            BulkCall(Account.create(), third.to, third.data, gas=100_000),
            second,
            third,
        ]
    )
    kinds = [Receipt, ContractReverted, ContractReverted, ChainMismatch, Receipt, Receipt]
    assert [type(outcome) for outcome in outcomes] == kinds
    assert [one.name for one in outcomes if isinstance(one, ContractReverted)] == ["LearningTask_NotTrainer"] * 2
    # Nonces are right after refusals, whether a block holds them or not.
    (again, paid) = sender.send([first, BulkCall(stranger, Account.create().address, b"", 1)])
    assert isinstance(again, ContractReverted) and again.name == "LearningTask_AlreadyCommitted"
    assert isinstance(paid, Receipt)


def test_several_of_one_account_keep_their_order(played: Played) -> None:
    """Nonces follow each other; a later batch goes on where the first ended."""
    sender, account = BulkSender(played.connection), dev_account("bulk payer")
    played.connection.request("anvil_setBalance", account.address, hex(10**18))
    to = [Account.create().address for _ in range(3)]
    assert all(isinstance(one, Receipt) for one in sender.send([BulkCall(account, one, b"", 10) for one in to]))
    assert all(isinstance(one, Receipt) for one in sender.send([BulkCall(account, one, b"", 5) for one in to]))
    assert [played.connection.balance(one) for one in to] == [15, 15, 15]


def test_what_is_in_no_block_is_said_to_be_lost(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that takes transactions and forgets them."""
    honest = Connection.batch

    def forgetful(self: Connection, calls: list[tuple[str, list[object]]]) -> list[object]:
        if calls and calls[0][0] == "eth_sendRawTransaction":
            return ["0x" + 64 * "0" for _ in calls]
        return honest(self, calls)

    monkeypatch.setattr(Connection, "batch", forgetful)
    (outcome,) = BulkSender(played.connection, played.task.codec).send(_commits(played)[:1], timeout_seconds=0.1)
    assert isinstance(outcome, TransactionLost)


def test_no_calls(played: Played) -> None:
    """Nothing to do, nothing asked."""
    assert BulkSender(played.connection).send([]) == []
