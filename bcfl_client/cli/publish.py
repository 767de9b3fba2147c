"""`bcfl publish`: a task from a file."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from bcfl_client.cli.options import (
    Commands,
    add_chain,
    add_command,
    add_data_root,
    add_key,
    add_store,
    address,
    connect_to,
    data_root,
    sender_of,
)
from bcfl_client.config import format_wei

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "publish",
        _publish,
        "publish a task, its reward in escrow",
        "Puts the initial model, the manifest and the public validation set into the content store, and the task with\n"
        "all its terms and its reward onto the chain. Terms cannot be changed afterwards. The file is TOML;\n"
        "docs/examples/mnist.toml is one, docs/terms.md explains every term with its unit, default and range.",
        "bcfl publish docs/examples/mnist.toml --factory 0x9fE4...a6e0 --key publisher.json",
    )
    parser.add_argument("file", metavar="TASK.toml", type=Path, help="the task's description")
    parser.add_argument(
        "--factory", metavar="ADDRESS", type=address, required=True, help="the factory, as `bcfl deploy` printed it"
    )
    add_chain(parser)
    add_store(parser)
    add_key(parser)
    add_data_root(parser)


def _publish(args: argparse.Namespace) -> int:
    from bcfl_client.chain.task import Task
    from bcfl_client.roles.task_config import read_task_config
    from bcfl_client.storage import open_store

    config = read_task_config(args.file)
    store = open_store(args.store)
    connection = connect_to(args)
    sender = sender_of(args, connection)
    from bcfl_client.roles.publisher import publish  # slow to import: only once everything cheap has been checked

    task = Task(connection, publish(connection, sender, store, args.factory, config, data_root(args.data_root)))
    terms, deadline = config.terms, task.status().deadline
    print(f"task     {task.address}")
    print(f"reward   {format_wei(terms['reward'])} in escrow, for {terms['rounds']} rounds")
    closes = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(deadline))
    full = f", or as soon as {terms['trainer_slots']} trainers and {terms['miner_slots']} miners have bid"
    print(f"bidding  until {closes}{full if terms['close_when_full'] else ''}")
    if terms["min_window"] == 0:
        print("note     min_window is 0: the result is as correct as the majority of the miners is honest")
    here = f"--task {task.address} --rpc {args.rpc} --store {store.url}"
    print("join with a key of your own:")
    print(f"  bcfl train {here} --dataset {config.dataset} --model {config.model} --price AMOUNT --key FILE")
    print(f"  bcfl mine {here} --model {config.model} --fee AMOUNT --key FILE")
    return 0
