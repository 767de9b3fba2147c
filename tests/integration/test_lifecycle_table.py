"""The table of phases in docs/lifecycle.md is what the contract does: every function is called in every phase, every
deadline passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from bcfl_client.chain.connection import Connection, RpcError, connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.sender import Sender
from bcfl_client.experiments.stage import Stage, word
from bcfl_client.types import Phase

ROOT = Path(__file__).resolve().parents[2]

TABLE = (ROOT / "docs" / "lifecycle.md").read_text()
ROW = re.compile(r"^\| (\w+) \| ([^|]*)\| ([^|]*)\| ([^|]*)\| ([^|]*)\|$", flags=re.M)
ROWS = {name: (who, deadline) for name, who, _, deadline, _ in ROW.findall(TABLE) if name != "Phase"}
DUMMY = (bytes(32), bytes(32), 0, [0], bytes(32))
CALLS = {
    "bidAsTrainer": ("trainer", (5_900, 1, 1)),
    "bidAsMiner": ("miner", (1,)),
    "cancel": ("publisher", ()),
    "select": ("watcher", ()),
    "commit": ("trainer", (word("digest"),)),
    "commitBatch": ("watcher", ([],)),
    "reveal": ("trainer", (word("root"), word("content"), 1, 1, word("salt"))),
    "revealBatch": ("watcher", ([],)),
    "check": ("miner", (0, 0)),
    "seal": ("miner", (0, word("digest"))),
    "proposeFast": ("miner", (0, DUMMY, 0)),
    "propose": ("miner", (0, DUMMY, 0)),
    "open": ("miner", (0, DUMMY, [], 0)),
    "commitChallenge": ("watcher", (0, word("claim"))),
    "question": ("watcher", (0, bytes(32), bytes(32), 0, 0, bytes(32), [])),
    "finalise": ("watcher", ([], 0)),
}


class Play(Stage):
    """A task that has only been published."""

    def __post_init__(self) -> None:
        self.task = self._publish()
        self.trainer_actors = [self._actor("trainer", i) for i in range(self.trainers)]
        self.miner_actors = [self._actor("miner", i) for i in range(self.miners)]

    def states(self) -> Iterator[None]:
        """Lives through all phases, stopping in each; Mine is seen without a block and with one."""
        yield
        for actor in self.trainer_actors:
            actor.bid_as_trainer(5_900, 1, 1)
        for actor in self.miner_actors:
            actor.bid_as_miner(1)
        yield
        self.miner_actors[0].select()
        yield
        openings = self.openings()
        for actor, opening in zip(self.trainer_actors, openings):
            actor.commit(update_digest(self.task.place(1, 0, actor.sender.address), opening))
        yield
        for actor, opening in zip(self.trainer_actors, openings):
            actor.reveal(opening)
        yield
        for seat, actor in enumerate(self.miner_actors):
            actor.check(seat, 0b010101)
        yield
        sealed = [self.opening(salt=seat) for seat in range(self.miners)]
        self.seal(sealed)
        yield
        self.propose(sealed[0])
        yield
        self.pass_time()
        yield
        for seat in (1, 2):
            self.miner_actors[seat].open(seat, sealed[seat])
        yield
        self.pass_time()
        yield
        self.miner_actors[0].finalise(sealed[0].scores, 50_000)
        yield

    def pass_time(self, seconds_before: int = 0) -> None:
        """To the present phase's deadline, or a little before it."""
        self.connection.request("evm_setNextBlockTimestamp", self.task.status().deadline - seconds_before)
        self.connection.request("evm_mine")

    def allowed(self) -> set[str]:
        """Functions that do not find the phase wrong."""
        return {name for name in CALLS if not self._is_out_of_phase(name)}

    def _is_out_of_phase(self, name: str) -> bool:
        role, args = CALLS[name]
        sender = self._account(role, 0).address
        try:
            self.connection.call(self.task.address, self.task.codec.call(name, *args), sender=sender)
        except RpcError as error:
            return self.task.codec.reverted(bytes.fromhex(str(error.data)[2:])).name == "LearningTask_WrongPhase"
        return False


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with DevChain(block_time=0) as chain:
        connection = connect(chain.url)
        yield connection
        connection.close()


def _play(connection: Connection) -> Play:
    factory = deploy(_rich(connection)).factory
    terms: dict[str, int | str] = {"rounds": 1, "fork_window": 20, "min_window": 50}
    return Play(connection, factory, "table", 3, lambda name, receipt: None, terms)


def _rich(connection: Connection) -> Sender:
    account = Account.from_key(word("deployer"))
    connection.request("anvil_setBalance", account.address, hex(10**24))
    return Sender(connection, account)


def test_who_may_act_and_what_time_ends(connection: Connection) -> None:
    play = _play(connection)
    seen: dict[str, set[str]] = {}
    for _ in play.states():
        status = play.task.status()
        name = status.phase.name.capitalize()
        seen[name] = seen.get(name, set()) | play.allowed()
        cell = ROWS[name][1]
        if status.deadline == 0:
            assert "has none" in cell, name
            continue
        snapshot = connection.request("evm_snapshot")
        play.pass_time(seconds_before=2)  # the pending block, which clients look at, is a second later
        assert play.task.status().phase == status.phase, name
        play.pass_time()
        after = play.task.status().phase.name.capitalize()
        assert after in re.findall(r"\b[A-Z]\w+", cell), (name, after, cell)
        connection.request("evm_revert", snapshot)
    documented = {name: set(re.findall(r"`(\w+)`", who)) & set(CALLS) for name, (who, _) in ROWS.items()}
    assert seen == documented


def test_the_table_has_every_phase() -> None:
    assert {name.upper() for name in ROWS} == {phase.name for phase in Phase}
