"""False results against real processes: liars, watchers and honest miners with keys of their own on one Anvil."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bcfl_client.chain.connection import Connection, connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task
from bcfl_client.learning.warmup import warm_up
from bcfl_client.roles.adversaries import LiarMiner
from bcfl_client.roles.blocks import is_again
from bcfl_client.roles.local_data import local_data
from bcfl_client.roles.miner import Miner, MinerSettings, run_miner
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import Session, open_session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.roles.trainer import TrainerSettings, run_trainer
from bcfl_client.storage import ContentStore, open_store
from bcfl_client.terms import make_terms
from bcfl_client.types import Fault, Role, State, Status

from .conftest import BCFL, until

# 3,760 parameters: a tree of height 7, so that a withheld one takes two questions.
MODEL = """
from torch import nn
def build(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, classes))
"""
FEE = 10**16
TRAINERS = 2
WINDOWS = {"min_window": 6, "challenge_window": 8, "response_window": 4}
SETTINGS = MinerSettings(FEE, "small_model:build", watch=False)
ENDED = 90.0  # seconds
REPOSITORY = Path(__file__).parents[2]


class Late(Miner):
    """Leaves the first block to others."""

    def _mine(self, status: Status, seat: int) -> None:
        if is_again(status):
            super()._mine(status, seat)


@dataclass
class Stage:
    """One task on its own chain. Accounts: deployer, publisher, trainers, miners, and the last one watches."""

    chain: DevChain
    connection: Connection
    folder: Path
    accounts: list[LocalAccount]
    store: ContentStore
    address: str = ""
    forked: list[BaseProcess] = field(default_factory=list)
    watchers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def task(self) -> Task:
        return Task(self.connection, self.address)

    @property
    def watcher(self) -> LocalAccount:
        return self.accounts[-1]

    def publish(self, miners: int, **terms: int) -> None:
        """Publishes the task and starts its trainers."""
        slots = {"trainer_slots": TRAINERS, "min_trainers": TRAINERS, "miner_slots": miners, "min_miners": miners}
        given = {"rounds": 1, "difficulty": 1000, "min_updates": TRAINERS, **WINDOWS, **slots, **terms}
        config = TaskConfig(dataset="digits", model="small_model:build", terms=make_terms(**given))
        factory = deploy(Sender(self.connection, self.accounts[0])).factory
        publisher = Sender(self.connection, self.accounts[1])
        self.address = publish(self.connection, publisher, self.store, factory, config, None)
        for number in range(TRAINERS):
            self._fork(2 + number, lambda session, number=number: _train(session, number))

    def mine(self, number: int, make: Callable[[Session], Miner]) -> None:
        """Starts miner `number`."""
        self._fork(2 + TRAINERS + number, lambda session: run_miner(session, SETTINGS, make(session)))

    def watch(self, *program: str) -> subprocess.Popen[bytes]:
        """Starts `bcfl watch`, or `program` in its place; returns when it watches."""
        log = self.folder / f"watch-{len(list(self.folder.glob('watch-*')))}.log"
        options = ("--rpc", self.chain.url, "--store", self.store.url, "--state", "watcher")
        environment = {**os.environ, "BCFL_PRIVATE_KEY": self.watcher.key.hex(), "PYTHONPATH": str(REPOSITORY)}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [*(program or BCFL), "watch", self.address, *options],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=output,
            )
        self.watchers.append(process)
        until(lambda: process.poll() is not None or "watching" in log.read_text(), "the watcher's start")
        return process

    def logs(self) -> str:
        """What the watchers said, for a failing test's message."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("watch-*.log")))

    def ended(self) -> None:
        until(lambda: self.task.status().state.closed, "the end of the task", ENDED)

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Arguments of the task's events with these names."""
        return [dict(event.args) for event in self.task.events() if event.name in names]

    def guilty(self) -> set[int]:
        """Seats that lost their whole deposit for a false result."""
        slashed = [one for one in self.events("Slashed") if one["fault"] == Fault.PROVEN_WRONG]
        assert all(one["amount"] == self.task.terms["minerDeposit"] for one in slashed)
        return {one["seat"] for one in slashed}

    def seats(self, *numbers: int) -> set[int]:
        """Seats of these miners."""
        found = {self.task.seat(Role.MINER, self.accounts[2 + TRAINERS + number].address) for number in numbers}
        return {seat for seat in found if seat is not None}

    def _fork(self, index: int, work: Callable[[Session], None]) -> None:
        url, address, account = self.chain.url, self.address, self.accounts[index]

        def run() -> None:
            work(open_session(url, address, account, self.store.url, self.folder / "state", report=_say))

        process = multiprocessing.get_context("fork").Process(target=run)
        process.start()
        self.forked.append(process)


def _say(verb: str, facts: dict[str, object]) -> None:
    print(verb, facts, flush=True)


def _train(session: Session, number: int) -> None:
    images, labels = local_data("digits", None, "iid", (number + 1, TRAINERS), 1)
    settings = TrainerSettings(500 * 10**9, "small_model:build", seed=1, trainer_id=number)
    run_trainer(session, settings, images[:200], labels[:200])


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    (tmp_path / "small_model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    warm_up()
    with DevChain() as chain:
        connection = connect(chain.url)
        accounts = [Account.from_key(key) for key in chain.accounts[: 2 + TRAINERS + 4]]
        made = Stage(chain, connection, tmp_path, accounts, open_store(f"dir:{tmp_path / 'store'}"))
        yield made
        for process in made.forked:
            process.kill()
            process.join()
        for watcher in made.watchers:
            watcher.kill()
            watcher.wait()
        connection.close()


def liar(**options: Any) -> Callable[[Session], Miner]:
    return lambda session: LiarMiner(session, SETTINGS, **options)


def honest(session: Session) -> Miner:
    return Miner(session, SETTINGS)


def refuting(session: Session) -> Miner:
    return Miner(session, MinerSettings(FEE, SETTINGS.model))


def balance(stage: Stage) -> int:
    return stage.connection.balance(stage.watcher.address)


def finished(stage: Stage, process: subprocess.Popen[bytes], before: int) -> None:
    """The watcher ended well, left nothing in the contract, and has more than before."""
    assert process.wait(30) == 0, stage.logs()
    assert stage.task.withdrawable(stage.watcher.address) == 0
    assert balance(stage) > before, stage.logs()


def test_three_of_three_liars_are_refuted_by_one_watcher(stage: Stage) -> None:
    """All miners agree on a lie: they lose their whole deposits, half of it to the watcher, and the round is void."""
    stage.publish(3, rounds=2)
    before, process = balance(stage), stage.watch()
    for number in range(3):
        stage.mine(number, liar(coordinate=1234))
    stage.ended()
    assert stage.guilty() == {0, 1, 2}, stage.logs()
    (refuted,) = stage.events("Refuted")
    assert (refuted["coordinate"], refuted["challenger"]) == (1234, stage.watcher.address)
    (bounty,) = stage.events("BountyPaid")
    assert bounty["bounty"] == 3 * stage.task.terms["minerDeposit"] // 2
    assert len(stage.events("RoundVoided")) == 1 and not stage.events("RoundFinalised")
    assert stage.task.status().state == State.ABORTED  # nobody is left to mine
    finished(stage, process, before)


def test_two_of_three_liars_are_refuted_and_the_truth_is_mined(stage: Stage) -> None:
    """The liars have the majority and the only block: refuted by the watcher, the honest miner's result becomes the
    truth, it mines again, and its block is the round's."""
    stage.publish(3)
    before, process = balance(stage), stage.watch()
    stage.mine(0, lambda session: Late(session, SETTINGS))
    for number in (1, 2):
        stage.mine(number, liar())
    stage.ended()
    assert stage.guilty() == stage.seats(1, 2), stage.logs()
    (final,) = stage.events("RoundFinalised")
    (right,) = stage.seats(0)
    openings = {one["seat"]: one["opening"] for one in stage.events("Opened")}
    assert (final["seat"], final["root"]) == (right, openings[right]["root"])
    assert [one["attempt"] for one in stage.events("Proposed")] == [0, 1]
    assert stage.task.status().state == State.COMPLETED
    finished(stage, process, before)


def test_an_honest_miner_refutes_by_itself(stage: Stage) -> None:
    """Without any watcher: the only honest one of three miners does the same, and takes the bounty home."""
    stage.publish(3)
    stage.mine(0, refuting)
    for number in (1, 2):
        stage.mine(number, liar())
    stage.ended()
    assert stage.guilty() == stage.seats(1, 2)
    (final,), (bounty,) = stage.events("RoundFinalised"), stage.events("BountyPaid")
    assert {final["seat"]} == stage.seats(0)
    assert bounty["challenger"] == stage.accounts[2 + TRAINERS].address


def test_bytes_that_nobody_can_get_are_asked_for(stage: Stage) -> None:
    """The liars keep the bytes but answer: two questions lead to the leaf that refutes them. The bonds of the
    questions come back."""
    stage.publish(2)
    before, process = balance(stage), stage.watch()
    for number in range(2):
        stage.mine(number, liar(coordinate=3759, withhold=True))
    stage.ended()
    assert stage.guilty() == {0, 1}, stage.logs()
    assert [one["height"] for one in stage.events("Questioned")] == [7, 1]
    assert len(stage.events("Answered")) == 2
    (refuted,) = stage.events("Refuted")
    assert refuted["coordinate"] == 3759
    finished(stage, process, before)
    assert len(stage.events("BondReturned")) == 2 and not stage.events("BondsLost")


def test_silence_refutes(stage: Stage) -> None:
    """A liar that neither shows its bytes nor answers is refuted when the question's deadline has passed."""
    stage.publish(1)
    before, process = balance(stage), stage.watch()
    stage.mine(0, liar(withhold=True, silent=True))
    stage.ended()
    assert stage.guilty() == {0}, stage.logs()
    (refuted,) = stage.events("Refuted")
    assert refuted["coordinate"] == 2**256 - 1
    finished(stage, process, before)


def test_a_false_fast_block_is_refuted(stage: Stage) -> None:
    """A miner earns trust in one round and lies in the next, in a block without votes or, if it is drawn, with one."""
    stage.publish(1, rounds=3, fast_blocks=1, fast_rewards=0)
    before, process = balance(stage), stage.watch()
    stage.mine(0, liar(first_round=2))
    stage.ended()
    assert stage.guilty() == {0}, stage.logs()
    (refuted,), (fast,) = stage.events("Refuted"), stage.events("FastProposed")
    assert refuted["round"] == fast["round"] == 2
    finished(stage, process, before)


def test_honest_rounds_cost_the_watcher_nothing(stage: Stage) -> None:
    """Fast blocks, votes and forks of honest miners: the watcher sends no transaction, and every round has a block."""
    stage.publish(2, rounds=3, fast_blocks=1, fast_rewards=0, fork_window=8, fork_rule=2, min_window=2)
    before, process = balance(stage), stage.watch()
    for number in range(2):
        stage.mine(number, refuting)
    stage.ended()
    assert process.wait(30) == 0, stage.logs()
    assert balance(stage) == before
    assert int(stage.connection.request("eth_getTransactionCount", stage.watcher.address, "latest"), 16) == 0
    finals = stage.events("RoundFinalised")
    assert [one["round"] for one in finals] == [1, 2, 3]
    assert not stage.events("Slashed", "ChallengeCommitted", "Questioned")
    assert {one["round"] for one in stage.events("FastProposed")} == {2, 3}
    # Both mined in the first round's fork window, and the lower hash won.
    hashes = [one["blockHash"] for one in stage.events("Proposed") if one["round"] == 1]
    assert len(hashes) == 2 and finals[0]["blockHash"] == min(hashes)


DYING = """
import os, signal, sys
from bcfl_client.chain.task import TaskActor
from bcfl_client.cli import main
TaskActor.challenge = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(sys.argv[1:]))
"""


def test_watcher_killed_between_commitment_and_proof(stage: Stage) -> None:
    """Killed right after its bond is on the chain, it shows the same claim after a restart: one bond, one proof."""
    stage.publish(2, min_window=15, challenge_window=15, response_window=10)
    before = balance(stage)
    (stage.folder / "dying.py").write_text(DYING)
    dying = stage.watch(sys.executable, "dying.py")
    for number in range(2):
        stage.mine(number, liar())
    assert dying.wait(60) == -signal.SIGKILL
    assert len(stage.events("ChallengeCommitted")) == 1 and not stage.events("Refuted")
    process = stage.watch()
    stage.ended()
    assert stage.guilty() == {0, 1}, stage.logs()
    assert len(stage.events("ChallengeCommitted")) == 1
    (refuted,) = stage.events("Refuted")
    assert refuted["challenger"] == stage.watcher.address
    finished(stage, process, before)


def test_refuses_without_the_money_for_bonds(stage: Stage) -> None:
    """Exit code 2, and one line that says how much is missing; nothing is sent."""
    stage.publish(1)
    done = subprocess.run(
        [*BCFL, "watch", stage.address, "--rpc", stage.chain.url, "--store", stage.store.url],
        cwd=stage.folder,
        env={**os.environ, "BCFL_PRIVATE_KEY": Account.create().key.hex()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "has 0 wei; to refute one false result may take 3 bonds of 10000000000000000 wei" in done.stderr
