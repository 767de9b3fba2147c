"""What a crash costs: nothing, if the process comes back before its deadline."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from eth_account import Account

from bcfl_client.audit import audit_task
from bcfl_client.chain.connection import connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.digests import update_digest
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.roles.local_data import local_data
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import open_store
from bcfl_client.terms import make_terms
from bcfl_client.types import Phase, Role, Stage, UpdateOpening

from .conftest import Processes, until

SPLIT = ("--dataset", "digits", "--partition", "iid", "--seed", "1")


def test_trainer_killed_after_commit_reveals_after_restart(tmp_path: Path, processes: Processes) -> None:
    """A trainer's process is killed right after its commitment is on the chain; another process of the same account
    opens exactly that commitment, finishes the task and is paid in full."""
    with DevChain() as chain:
        connection = connect(chain.url)
        deployer, publisher, miner, alice, bob = (Account.from_key(key) for key in chain.accounts[:5])
        store = open_store(f"dir:{tmp_path / 'store'}")
        config = TaskConfig(
            dataset="digits",
            terms=make_terms(rounds=2, trainer_slots=2, min_trainers=2, miner_slots=1, min_miners=1, min_updates=2),
        )
        factory = deploy(Sender(connection, deployer)).factory
        address = publish(connection, Sender(connection, publisher), store, factory, config, None)
        task = Task(connection, address)
        common = ("--task", address, "--rpc", chain.url, "--store", store.url)
        train = ("train", *common, "--price", "500 gwei", *SPLIT)

        # Bob has bid but does not run yet: Commit stays open until the test has seen what it wants to see.
        _, labels = local_data("digits", None, "iid", (2, 2), 1)
        TaskActor(task, Sender(connection, bob)).bid_as_trainer(len(labels), 500 * 10**9, 1000)
        processes.start("mine", *common, "--fee", "0.01 ether", key=miner.key.hex())
        first = processes.start(*train, "--part", "1/2", key=alice.key.hex())

        def committed() -> bool:
            assert first.poll() is None, processes.logs()
            seat = task.seat(Role.TRAINER, alice.address)
            return seat is not None and task.trainer(seat).stage == Stage.COMMITTED

        until(committed, "alice's commitment")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        seat = task.seat(Role.TRAINER, alice.address)
        assert seat is not None
        commitment = task.trainer(seat).digest

        processes.start(*train, "--part", "2/2", key=bob.key.hex())
        until(lambda: task.status().phase == Phase.REVEAL, "Reveal")
        processes.start(*train, "--part", "1/2", key=alice.key.hex())
        until(lambda: task.status().state.closed, "the end of the task", 90)
        until(lambda: task.withdrawable(alice.address) == 0, "alice's withdrawal")

        (reveal,) = [event.args for event in task.round_events("Revealed", 1) if event.args["seat"] == seat]
        opening = UpdateOpening(*(reveal[name] for name in ("root", "contentId", "samples", "trainingTime", "salt")))
        assert update_digest(task.place(1, 0, alice.address), opening)[:25] == commitment
        events = task.events()
        assert not [event for event in events if event.name in ("Slashed", "Struck", "RoundVoided")], processes.logs()
        paid = [event for event in events if event.name == "Paid" and event.args["seat"] == seat]
        assert {event.args["round"] for event in paid if event.args["role"] == Role.TRAINER} == {1, 2}
        assert audit_task(connection, store, address).ok
