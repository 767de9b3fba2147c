"""Measures gas on Anvil: a task with 10 trainers and 3 miners, updates and fraud proofs of 10 and of 100 trainers.

`scripts/gas.py` writes docs/gas.json and the README's table; `scripts/gas.py --check` compares them with what it
measures and exits with 1 when anything has moved by more than 2 %.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from eth_account import Account

from bcfl_client.chain.connection import Connection, connect
from bcfl_client.chain.contracts import deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Receipt
from bcfl_client.experiments.stage import Stage

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "docs" / "gas.json"
TRAINERS, MINERS, ROUNDS = 10, 3, 11
DRIFT = 0.02
RULES = {"mean": 0, "median": 1, "trimmed_mean": 2}
DISPUTES = (("mean", 10), ("median", 10), ("trimmed_mean", 10), ("mean", 100), ("trimmed_mean", 100))
TRIM_SHARE = 2000


class Meter:
    """Gas by name of what was measured."""

    def __init__(self) -> None:
        self.gas: dict[str, list[int]] = defaultdict(list)

    def note(self, name: str, receipt: Receipt) -> None:
        self.gas[name].append(receipt.gas_used)

    def median(self, name: str) -> int:
        return round(statistics.median(self.gas[name]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with docs/gas.json instead of writing it")
    check = parser.parse_args().check
    # The rules that the contracts are compiled for; later ones (EIP-7623) price long calldata by a floor of their own.
    with DevChain(extra=("--hardfork", "shanghai")) as chain:
        table = measure(connect(chain.url), chain.accounts[0], lambda line: print(line, file=sys.stderr))
    if check:
        moved = drift(json.loads(SNAPSHOT.read_text()), table)
        print("\n".join(moved) or "gas: as in docs/gas.json")
        return 1 if moved else 0
    SNAPSHOT.write_text(json.dumps(table, indent=1) + "\n")
    readme = ROOT / "README.md"
    text = re.sub(
        r"<!-- gas -->.*<!-- /gas -->", f"<!-- gas -->\n{markdown(table)}<!-- /gas -->", readme.read_text(), flags=re.S
    )
    readme.write_text(text)
    print(markdown(table))
    return 0


def drift(snapshot: dict[str, int], table: dict[str, int]) -> list[str]:
    """A line for every figure that is not within 2 % of the snapshot's, or is in one of the two only."""
    lines = []
    for name in sorted({*snapshot, *table}):
        old, new = snapshot.get(name), table.get(name)
        if old is None or new is None or abs(new - old) > DRIFT * old:
            lines.append(f"gas: {name} is {new}, docs/gas.json has {old}; `make gas` writes it anew")
    return lines


def measure(connection: Connection, key: str, tell: Callable[[str], None]) -> dict[str, int]:
    """All figures by name. `.first` is the first round, whose storage is still empty."""
    deployer = Sender(connection, Account.from_key(key))
    factory = deploy(deployer).factory
    table = life(connection, factory, tell)
    for rule, trainers in DISPUTES:
        tell(f"gas: a fraud proof of {trainers} updates, rule {rule}")
        table |= dispute(connection, factory, rule, trainers)
    return dict(sorted(table.items()))


def life(connection: Connection, factory: str, tell: Callable[[str], None]) -> dict[str, int]:
    """A whole task, every function."""
    tell(f"gas: a task of {ROUNDS} rounds, {TRAINERS} trainers, {MINERS} miners")
    meter = Meter()
    stage = Stage(connection, factory, "life", TRAINERS, meter.note, {"rounds": ROUNDS})
    for round_id in range(1, ROUNDS + 1):
        stage.play_round(".first" if round_id == 1 else ".last" if round_id == ROUNDS else "")
        if round_id == 1:
            meter.note("claim.1", stage.trainer_actors[0].withdraw())
        if round_id == 10:
            meter.note("claim.10", stage.trainer_actors[1].withdraw())
    for actor in (*stage.trainer_actors, *stage.miner_actors):
        meter.note("withdraw", actor.withdraw())
    table = {name: meter.median(name) for name in meter.gas}
    each = {"commit": TRAINERS, "reveal": TRAINERS, "check": MINERS, "seal": MINERS, "propose": 1, "open": MINERS - 2}
    # The last opening finalises the round.
    table["round"] = sum(count * table[name] for name, count in each.items()) + table["open+finalise"]
    table["claim.10"] //= 10  # per round
    return table


def dispute(connection: Connection, factory: str, rule: str, trainers: int) -> dict[str, int]:
    """One fraud proof, and what the updates before it cost per trainer."""
    meter, batch = Meter(), rule != "mean"
    terms: dict[str, int | str] = {"aggregation_rule": RULES[rule], "trim_share": TRIM_SHARE}
    stage = Stage(connection, factory, f"{rule}.{trainers}", trainers, meter.note, terms)
    stage.dispute(RULES[rule], TRIM_SHARE, batch)
    table = {f"challenge.{rule}.{trainers}": meter.median("challenge.commit") + meter.median("challenge.show")}
    if batch:
        table[f"update.batch.{trainers}"] = (meter.median("commitBatch") + meter.median("revealBatch")) // trainers
    else:
        table[f"update.direct.{trainers}"] = meter.median("commit") + meter.median("reveal")
    return table


def markdown(table: dict[str, int]) -> str:
    names = ["publish", "bidAsTrainer", "bidAsMiner", "select", "commit", "reveal", "check", "seal", "propose", "open"]
    names += ["open+finalise", "open+finalise.last", "withdraw"]
    lines = ["| Function | Gas | In the first round |", "|---|---:|---:|"]
    for name in names:
        first = table.get(f"{name}.first")
        lines.append(f"| `{name}` | {table[name]:,} | {f'{first:,}' if first else ''} |")
    lines.append(f"| a round, all functions | {table['round']:,} | |")
    lines += ["", "| Per trainer and round, per proof | 10 trainers | 100 trainers |", "|---|---:|---:|"]
    for label, name in (
        ("commit and reveal, sent by the trainer", "update.direct"),
        ("commit and reveal, relayed in one batch", "update.batch"),
        ("fraud proof, weighted mean: commitment and proof", "challenge.mean"),
        ("fraud proof, trimmed mean", "challenge.trimmed_mean"),
        ("fraud proof, median", "challenge.median"),
    ):
        figures = [f"{table[key]:,}" if (key := f"{name}.{count}") in table else "" for count in (10, 100)]
        lines.append(f"| {label} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
