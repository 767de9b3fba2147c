"""`bcfl experiment` and `bcfl plan`: the paper's figures, and what they mean for one node."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bcfl_client.cli.options import Commands, add_command, whole

__all__ = ["add_commands"]

_DEFAULT_OUT = Path(".bcfl/experiments")


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "experiment",
        _experiment,
        "reproduce a figure of the paper",
        "Plays many federations on this machine, with the code of the real trainers and miners, and writes the\n"
        "numbers (CSV), what they were made with (JSON) and figures (PNG, SVG) into a folder. Finished parts are\n"
        "kept: a run that was stopped goes on where it was. Same seed, same CSV, for any number of workers.\n"
        "NAME is one of those that `bcfl experiment list` shows, with their settings.",
        "bcfl experiment resource-allocation --runs 2",
    )
    parser.add_argument("name", metavar="NAME", help="the experiment, or `list`")
    parser.add_argument("--runs", metavar="N", type=whole, default=20, help="repetitions of everything (%(default)s)")
    parser.add_argument("--seed", metavar="N", type=whole, default=0, help="decides all randomness (%(default)s)")
    parser.add_argument("--setting", metavar="NAME", help="one of the experiment's settings (its first)")
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        default="mnist",
        help="digits, mnist, fashion-mnist, or a folder in BCFL_DATA (mnist)",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=_DEFAULT_OUT, help="where files go (%(default)s)")
    parser.add_argument("--workers", metavar="N", type=whole, help="processes (one per core)")
    parser.add_argument(
        "--ray-address", metavar="ADDRESS", help="run on a Ray cluster; local starts one on this machine (no Ray)"
    )


def _experiment(args: argparse.Namespace) -> int:
    from bcfl_client.experiments.catalogue import EXPERIMENTS

    if args.name == "list":
        for name, experiment in EXPERIMENTS.items():
            print(f"{name:<20} {experiment.brief}; settings: {', '.join(experiment.settings)}")
        return 0
    from bcfl_client.demo.data import choose_dataset
    from bcfl_client.experiments.runner import RunSettings, run_experiment

    run = RunSettings(args.name, args.out, args.setting, args.runs, args.seed, args.workers, args.ray_address)

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    dataset, _ = choose_dataset(args.dataset, Path(".bcfl"), say)
    about = run_experiment(run, dataset, say)
    print(f"{about['played']['cells']} cells in {about['played']['seconds']:g} s")
    for path in sorted(run.out.glob(f"{run.stem}*.*")):
        print(path)
    return 0
