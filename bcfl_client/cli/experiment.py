"""`bcfl experiment` and `bcfl plan`: the paper's figures, and what they mean for one node."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bcfl_client.cli.options import Commands, add_command, whole
from bcfl_client.cli.role_options import BUDGET

__all__ = ["add_commands"]

_SHOWN = 15  # lines of a plan
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
    parser.add_argument(
        "--device", metavar="NAME", help="train on a device of torch, as cuda: a round's clients in one stack (cores)"
    )
    _add_plan(commands)


def _add_plan(commands: Commands) -> None:
    parser = add_command(
        commands,
        "plan",
        _plan,
        "divide a node's compute between training and mining",
        "Every round costs a block and some local epochs; a budget holds few rounds of many epochs or many of few.\n"
        "Shows what fits, floor((T / K - t_B) / t_L) epochs in each of K rounds, and which K promises the lowest\n"
        "loss, by a curve fitted to measurements: those of `bcfl experiment resource-allocation` (MNIST, 10 nodes,\n"
        "one hidden layer of 32), or your own. All costs are in one unit, for example seconds.",
        "bcfl plan --budget 200 --training-cost 2 --block-cost 2",
    )
    for option in BUDGET:
        parser.add_argument(option.flag, metavar=option.metavar, type=option.read, required=True, help=option.help)
    parser.add_argument("--rounds", metavar="K", type=whole, help="show this number of rounds only (what fits)")
    parser.add_argument(
        "--curve",
        metavar="FILE",
        type=Path,
        help="JSON file that `bcfl experiment resource-allocation` wrote (built in)",
    )


def _plan(args: argparse.Namespace) -> int:
    from bcfl_client.budget import MEASURED, Budget, Split, read_curve
    from bcfl_client.errors import ConfigError

    budget = Budget(args.budget, args.training_cost, args.block_cost)
    curve = MEASURED if args.curve is None else read_curve(args.curve)
    best = curve.best(budget)
    splits = budget.splits()
    if args.rounds is not None:
        if not 1 <= args.rounds <= budget.most_rounds:
            raise ConfigError(f"--rounds must be from 1 to {budget.most_rounds}: no more have an epoch each")
        splits = [Split(args.rounds, budget.epochs(args.rounds))]
    elif len(splits) > _SHOWN:
        shown = {0, len(splits) - 1, splits.index(best), *range(0, len(splits), -(-len(splits) // _SHOWN))}
        splits = [splits[i] for i in sorted(shown)]
    print("rounds  epochs  compute used  expected loss")
    for split in splits:
        mark = "  <- recommended" if split == best else ""
        print(f"{split.rounds:>6}  {split.epochs:>6}  {budget.cost(split):>12g}  {curve.loss(split):>13.3f}{mark}")
    return 0


def _experiment(args: argparse.Namespace) -> int:
    from bcfl_client.experiments.catalogue import EXPERIMENTS

    if args.name == "list":
        for name, experiment in EXPERIMENTS.items():
            print(f"{name:<20} {experiment.brief}; settings: {', '.join(experiment.settings)}")
        return 0
    from bcfl_client.demo.data import choose_dataset
    from bcfl_client.experiments.results import markdown
    from bcfl_client.experiments.runner import RunSettings, run_experiment

    run = RunSettings(
        args.name, args.out, args.setting, args.runs, args.seed, args.workers, args.ray_address, args.device
    )

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    dataset, _ = choose_dataset(args.dataset, Path(".bcfl"), say)
    stem = run.stem(dataset.name)
    before = _written(args.out, stem)
    about = run_experiment(run, dataset, say)
    if table := about["findings"].get("table"):
        print(markdown(table))
    for path, _ in sorted(_written(args.out, stem) - before):
        print(path)
    return 0


def _written(folder: Path, stem: str) -> set[tuple[Path, int]]:
    """The folder's files that begin with `stem`, and when each was written."""
    return {(path, path.stat().st_mtime_ns) for path in folder.glob(f"{stem}*.*")}
