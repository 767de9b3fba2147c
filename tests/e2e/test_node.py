"""The paper's multi-functional node: a task that nodes alone carry, each trainer and miner in one process."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from eth_account import Account

from bcfl_client.aggregation.clipping import step_norm
from bcfl_client.audit import audit_task
from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.learning.datasets import load_dataset
from bcfl_client.learning.encoding import FRACTIONAL_BITS
from bcfl_client.learning.manifest import Hyperparameters
from bcfl_client.roles.adversaries import PoisoningTrainer, run_cheating_trainer
from bcfl_client.roles.materials import fetch_parameters
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.session import open_session
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import open_store
from bcfl_client.terms import make_terms
from bcfl_client.types import Role, Stage, State

from .conftest import Processes, until

NODES = 3
PLAN = ("--budget", "10", "--training-cost", "2", "--block-cost", "2.5")  # 2 rounds of 1 epoch take 9


def test_three_nodes_carry_a_task(tmp_path: Path, processes: Processes) -> None:
    """Each has a seat in both roles, no say about its own update, and pay for both, which it takes home at once. One
    is killed as a trainer that has committed, and interrupted as a miner that has sealed: it comes back and opens both.
    """
    with DevChain() as chain:
        connection = connect(chain.url)
        deployer, publisher, *accounts = (Account.from_key(key) for key in chain.accounts[: 2 + NODES])
        store = open_store(f"dir:{tmp_path / 'store'}")
        terms = make_terms(rounds=2, trainer_slots=NODES, min_trainers=NODES, miner_slots=NODES, min_miners=NODES)
        config = TaskConfig(dataset="digits", terms=terms)
        factory = deploy(Sender(connection, deployer)).factory
        address = publish(connection, Sender(connection, publisher), store, factory, config, None)
        task = Task(connection, address)

        def start(index: int) -> subprocess.Popen[bytes]:
            place = ("--rpc", chain.url, "--store", store.url, "--part", f"{index + 1}/{NODES}", "--seed", "1")
            offer = ("--dataset", "digits", "--price", "500 gwei", "--fee", "0.01 ether")
            return processes.start("node", address, *place, *offer, *PLAN, key=accounts[index].key.hex())

        def stop(number: signal.Signals) -> int:
            assert victim.poll() is None, processes.logs()
            os.killpg(victim.pid, number)
            return victim.wait(10)

        def has_committed() -> bool:
            assert victim.poll() is None, processes.logs()
            own = task.seat(Role.TRAINER, accounts[0].address)
            return own is not None and task.trainer(own).stage == Stage.COMMITTED

        def has_sealed() -> bool:
            now, own = task.status().round, task.seat(Role.MINER, accounts[0].address)
            return own is not None and now.id == 2 and bool(now.sealers >> own & 1)

        # The last node has bid but does not run yet: Commit stays open until the first has been killed in it.
        late = TaskActor(task, Sender(connection, accounts[-1]))
        late.bid_as_trainer(400, 500 * 10**9, 1000)
        late.bid_as_miner(10**16)
        victim, second = start(0), start(1)
        until(has_committed, "a commitment")
        stop(signal.SIGKILL)
        victim, third = start(0), start(2)
        until(has_sealed, "a seal in round 2")
        assert stop(signal.SIGINT) == 130, processes.logs()
        for process in (start(0), second, third):
            assert process.wait(120) == 0, processes.logs()

        assert task.status().state == State.COMPLETED
        assert audit_task(connection, store, address).ok
        events = task.events()
        faults = ("Slashed", "Struck", "RoundVoided")
        assert not [event for event in events if event.name in faults], processes.logs()
        trainers, miners = task.trainers(), task.miners()
        assert len({one.account for one in miners}) == NODES
        assert all(trainers[one.trainer_seat].account == one.account for one in miners if one.trainer_seat is not None)
        assert sorted(one.trainer_seat for one in miners if one.trainer_seat is not None) == [0, 1, 2]
        withdrawals = [event.args["account"] for event in events if event.name == "Withdrawn"]
        for index, account in enumerate(accounts):
            own = [trainers.index(one) for one in trainers if one.account == account.address]
            paid = [event.args for event in events if event.name == "Paid" and event.args["role"] == Role.TRAINER]
            assert {args["round"] for args in paid if args["seat"] in own} == {1, 2}
            assert withdrawals.count(account.address) == 1 and task.withdrawable(account.address) == 0, index
        log = processes.logs()
        assert "plan: 2 rounds of 1 epoch take 9 of 10" in log
        assert "round 1: trainer committed" in log and "round 2: miner sealed" in log


def test_nobody_steps_farther_than_the_task_allows(tmp_path: Path, processes: Processes) -> None:
    """Honest nodes end at the bound and are paid; who goes three times as far is refused in every round."""
    bound = 0.25
    with DevChain() as chain:
        connection = connect(chain.url)
        deployer, publisher, wild, *accounts = (Account.from_key(key) for key in chain.accounts[: 3 + NODES])
        store = open_store(f"dir:{tmp_path / 'store'}")
        slots = NODES + 1
        terms = make_terms(rounds=2, trainer_slots=slots, min_trainers=slots, miner_slots=NODES, min_miners=NODES)
        config = TaskConfig(dataset="digits", hyperparameters=Hyperparameters(clipping_norm=bound), terms=terms)
        factory = deploy(Sender(connection, deployer)).factory
        address = publish(connection, Sender(connection, publisher), store, factory, config, None)
        task = Task(connection, address)
        start = task.status().head
        for index, account in enumerate(accounts):
            place = ("--rpc", chain.url, "--store", store.url, "--part", f"{index + 1}/{slots}", "--seed", "1")
            offer = ("--dataset", "digits", "--price", "500 gwei", "--fee", "0.01 ether")
            processes.start("node", address, *place, *offer, *PLAN, key=account.key.hex())

        digits = load_dataset("digits")
        session = open_session(chain.url, address, wild, store.url, tmp_path / "state")
        own = digits.train_images[::slots], digits.train_labels[::slots]
        run_cheating_trainer(session, PoisoningTrainer(session, 500 * 10**9, config.model, *own))

        until(lambda: task.status().state == State.COMPLETED, "the end of the task")
        events, seat = task.events(), task.seat(Role.TRAINER, wild.address)
        base = fetch_parameters(store, start.content_digest, start.root, task.terms["parameterCount"])
        norms = {}
        for event in events:
            if event.name == "Revealed" and event.args["round"] == 1:
                found = fetch_parameters(store, event.args["contentId"], event.args["root"], len(base))
                norms[event.args["seat"]] = step_norm(base, found, FRACTIONAL_BITS)
        assert norms.pop(seat) > bound, processes.logs()
        assert list(norms.values()) == pytest.approx([bound] * NODES, abs=1e-4) and max(norms.values()) <= bound
        struck = [(event.args["round"], event.args["seat"]) for event in events if event.name == "Struck"]
        assert struck == [(1, seat), (2, seat)], processes.logs()
        paid = [event.args for event in events if event.name == "Paid" and event.args["role"] == Role.TRAINER]
        assert {(args["round"], args["seat"]) for args in paid} == {(r, s) for r in (1, 2) for s in norms}
        assert audit_task(connection, store, address).ok
