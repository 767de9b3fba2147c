"""`bcfl demo`: everything, on one machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from bcfl_client.cli.options import Commands, add_command, whole

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "demo",
        _demo,
        "run a whole task on this machine",
        "Starts a chain, deploys the contracts, publishes a task and runs every trainer and miner as a process with a\n"
        "key of its own: real training, real proofs of work, real payouts, and an audit at the end. Without MNIST\n"
        "(BCFL_DATA, or a network to fetch it) it takes scikit-learn's handwritten digits.\n\n"
        "--adversaries KIND=N,... adds participants that do not keep the rules, and tells what each of them lost:\n"
        "  lazy      a trainer that hands in an older model or somebody's older update under a little noise\n"
        "  poison    a trainer that hands in the opposite of what it learnt, three times as far; unpaid as soon as\n"
        "            scores can tell, which takes more data than the digits\n"
        "  sleeper   a trainer that commits and never reveals\n"
        "  liar      a miner that changes one parameter of the aggregate by one unit and proposes it first; miners\n"
        "            and a watcher refute it, for which the task has a challenge window of a few seconds\n"
        "  thief     a miner that copies seals, nonces and results of the others, and an outsider that sends copies\n"
        "            of everybody's transactions\n"
        "Honest miners must outnumber liars and thieves, honest trainers the bad ones; one in five may poison.",
        "bcfl demo --rounds 5 --trainers 4 --report report.json",
    )
    for name, default, brief in (
        ("seed", 0, "decides data split, training and keys"),
        ("rounds", 10, "rounds of training"),
        ("trainers", 10, "trainers"),
        ("miners", 3, "miners"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=whole, default=default, help=f"{brief} ({default})")
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        default="mnist",
        help="digits, mnist, fashion-mnist, or a folder in BCFL_DATA (mnist)",
    )
    parser.add_argument("--model", metavar="MODEL", default="2nn", help="2nn, cnn, or package.module:factory (2nn)")
    parser.add_argument(
        "--partition", metavar="SPLIT", default="dirichlet:0.5", help="iid, shards:K or dirichlet:A (%(default)s)"
    )
    parser.add_argument(
        "--adversaries", metavar="KIND=N,...", default="", help="who does not keep the rules, as above (nobody)"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="miners with a good record propose blocks without a vote; tells what that saves",
    )
    parser.add_argument("--rpc", metavar="URL", help="a development chain that runs already (one of its own)")
    parser.add_argument("--store", metavar="STORE", help="dir:PATH or ipfs:http://HOST:PORT (a folder of the run)")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write everything to FILE, as JSON")


def _demo(args: argparse.Namespace) -> int:
    from bcfl_client.demo.settings import DemoSettings, parse_adversaries

    settings = DemoSettings(
        seed=args.seed,
        rounds=args.rounds,
        trainers=args.trainers,
        miners=args.miners,
        dataset=args.dataset,
        model=args.model,
        partition=args.partition,
        rpc=args.rpc,
        store=args.store,
        report=args.report,
        adversaries=parse_adversaries(args.adversaries) if args.adversaries else {},
        fast=args.fast,
    )
    from bcfl_client.demo.run import run_demo

    return run_demo(settings)
