"""`bcfl train`, `bcfl mine`, `bcfl node` and `bcfl watch`: a participant of a task."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from bcfl_client.cli.options import Commands, add_command, address, data_root
from bcfl_client.cli.role_options import BASIC, MINE, NODE, TRAIN, add_options, complete
from bcfl_client.config import format_wei

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bcfl_client.roles.relay import RelayBox
    from bcfl_client.roles.session import Session
    from bcfl_client.roles.trainer import TrainerSettings

__all__ = ["add_commands"]

_MONEY = ("wei", "price", "fee", "bond")  # what a participant reports in wei


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "train",
        _train,
        "take part in a task with data of your own",
        "Bids with the samples of the data set, and when selected trains in every round, commits to the update,\n"
        "reveals it, and takes the pay and the deposit home at the end. The data never leaves this machine; model\n"
        "updates do. Stopped in any phase and started again, it carries on. Task, data and model are checked before\n"
        "any money moves.",
        'bcfl train --task 0x1234...abcd --dataset mnist --price "500 gwei" --key trainer.json',
    )
    add_options(parser, TRAIN)
    parser = add_command(
        commands,
        "mine",
        _mine,
        "take part in a task as a miner",
        "Bids for a fee, and when selected fetches and checks the updates of every round, averages them bit-exactly,\n"
        "scores them, seals the result, finds proof of work for a block, votes by opening its seal, and takes fees\n"
        "and deposit home at the end. Refutes false results of other miners, as `bcfl watch` does, and answers\n"
        "questions about its own. Stopped in any phase and started again, it carries on.",
        'bcfl mine --task 0x1234...abcd --fee "0.01 ether" --key miner.json',
    )
    add_options(parser, MINE)
    _add_node(commands)
    parser = add_command(
        commands,
        "watch",
        _watch,
        "refute false results of a task's miners, for a bounty",
        "Needs no seat in the task. Recomputes every round from the revealed updates, exactly, and compares it with\n"
        "what the miners open. Where a result is false it posts a bond, shows the contract one wrong coordinate, and\n"
        "gets half of the deposits of all who stood for it; where the bytes of a result are withheld it asks for them\n"
        "on the chain first. While everybody is honest it sends nothing. Stopped and started again, it carries on;\n"
        "give it a --state folder of its own where the account has another role in the task.",
        "bcfl watch 0x1234...abcd --key watcher.json",
    )
    _add_task(parser)
    add_options(parser, BASIC[1:])


def _add_node(commands: Commands) -> None:
    parser = add_command(
        commands,
        "node",
        _node,
        "take part in a task as trainer and miner at once",
        "One process with one key does what `bcfl train` and `bcfl mine` do: it trains in the first phase of a round\n"
        "and mines in the others. Its compute is planned before it bids, by the rounds and local epochs that the task\n"
        "names: where K rounds of E epochs, K (E t_L + t_B), are more than its budget it says what would fit, as\n"
        "`bcfl plan` does, and does not bid. Where it gets a seat in one role only, it plays that. As a miner it\n"
        "has no say about its own update. Stopped in any phase and started again, it carries on.",
        'bcfl node 0x1234...abcd --price "500 gwei" --fee "0.01 ether" --part 1/3 '
        "--budget 200 --training-cost 2 --block-cost 2 --key node.json",
    )
    _add_task(parser)
    add_options(parser, NODE[1:])


def _add_task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", nargs="?", type=address, help=BASIC[0].help)


def _train(args: argparse.Namespace) -> int:
    complete(args, TRAIN, "train")
    session = _session(args)
    # These take a while to import: not before all that is cheap has been checked.
    from bcfl_client.roles.relay import RelayBox
    from bcfl_client.roles.trainer import run_trainer

    relay = RelayBox(args.relay, args.account) if args.relay else None
    run_trainer(session, _training(args, relay), *_data(args))
    return 0


def _mine(args: argparse.Namespace) -> int:
    complete(args, MINE, "mine")
    session = _session(args)
    from bcfl_client.roles.miner import MinerSettings, run_miner

    run_miner(session, MinerSettings(args.fee, args.model))
    return 0


def _node(args: argparse.Namespace) -> int:
    complete(args, NODE, "node")
    from bcfl_client.budget import Budget

    budget = Budget(args.budget, args.training_cost, args.block_cost)
    session = _session(args)
    from bcfl_client.roles.miner import MinerSettings
    from bcfl_client.roles.node import run_node

    run_node(session, budget, _training(args), MinerSettings(args.fee, args.model), *_data(args))
    return 0


def _watch(args: argparse.Namespace) -> int:
    complete(args, BASIC, "watch")
    session = _session(args)
    from bcfl_client.roles.watcher import run_watcher

    run_watcher(session)
    return 0


def _training(args: argparse.Namespace, relay: RelayBox | None = None) -> TrainerSettings:
    from bcfl_client.roles.trainer import TrainerSettings

    number, _ = args.part or (1, 1)
    return TrainerSettings(args.price, args.model, args.training_time, args.seed, number - 1, args.confirmations, relay)


def _data(args: argparse.Namespace) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    from bcfl_client.roles.local_data import local_data

    return local_data(args.dataset, data_root(args.data_root), args.partition, args.part or (1, 1), args.seed)


def _session(args: argparse.Namespace) -> Session:
    from bcfl_client.chain.keys import load_account
    from bcfl_client.roles.session import open_session

    args.account = load_account(args.key)
    session = open_session(args.rpc, args.task, args.account, args.store, args.state, args.chain_id, _report)
    args.cleanup.callback(session.close)
    print(f"{session.address} at work on task {args.task}; its state is in {session.journal.folder}", flush=True)
    return session


def _report(verb: str, facts: dict[str, object]) -> None:
    facts = dict(facts)
    place = f"round {facts.pop('round')}: " if "round" in facts else ""
    money = {name: format_wei(value) for name, value in facts.items() if name in _MONEY and isinstance(value, int)}
    facts |= money
    amount = f" {facts.pop('wei')}" if "wei" in facts else ""
    rest = amount + "".join(f" {name}={value}" for name, value in facts.items())
    print(f"{time.strftime('%H:%M:%S')} {place}{verb}{rest}", flush=True)
