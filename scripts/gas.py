"""Measures the gas of a task with 10 trainers and 3 miners on Anvil; writes docs/gas.json and the README's table.

Contracts and calls are real; updates are random hashes, since a contract sees no more of them.
"""

from __future__ import annotations

import json
import re
import secrets
import statistics
import sys
from collections import defaultdict
from pathlib import Path

from eth_account import Account

from bcfl_client.chain.connection import Connection, connect
from bcfl_client.chain.contracts import artifact, deploy
from bcfl_client.chain.devchain import DevChain
from bcfl_client.chain.digests import header_digest, seal_digest, update_digest
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Receipt, Task, TaskActor
from bcfl_client.roles.mining import search_nonce
from bcfl_client.terms import make_terms
from bcfl_client.types import Opening, Role, UpdateOpening, Verdict, pack_scores, pack_verdicts

ROOT = Path(__file__).resolve().parents[1]
TRAINERS, MINERS, ROUNDS = 10, 3, 3
SAMPLES, PRICE, FEE, SCORE = 5_900, 500 * 10**9, 10**16, 50_000


class Meter:
    """Gas by name of what was measured."""

    def __init__(self) -> None:
        self.gas: dict[str, list[int]] = defaultdict(list)

    def note(self, name: str, receipt: Receipt) -> None:
        self.gas[name].append(receipt.gas_used)

    def table(self) -> dict[str, int]:
        return {name: round(statistics.median(values)) for name, values in self.gas.items()}


def main() -> int:
    with DevChain() as chain:
        table = measure(connect(chain.url), chain.accounts)
    (ROOT / "docs" / "gas.json").write_text(json.dumps(table, indent=1) + "\n")
    readme = ROOT / "README.md"
    text = re.sub(
        r"<!-- gas -->.*<!-- /gas -->", f"<!-- gas -->\n{markdown(table)}<!-- /gas -->", readme.read_text(), flags=re.S
    )
    readme.write_text(text)
    print(markdown(table))
    return 0


def measure(connection: Connection, keys: list[str]) -> dict[str, int]:
    """Gas by function; `.first` is the first round, whose storage is still empty."""
    meter = Meter()
    accounts = [Account.from_key(key) for key in keys]
    publisher = Sender(connection, accounts[0])
    deployment = deploy(publisher)
    task = publish(connection, publisher, deployment.factory, meter)
    trainers = [TaskActor(task, Sender(connection, account)) for account in accounts[1 : 1 + TRAINERS]]
    miners = [
        TaskActor(task, Sender(connection, account)) for account in accounts[1 + TRAINERS : 1 + TRAINERS + MINERS]
    ]
    for trainer in trainers:
        meter.note("bidAsTrainer", trainer.bid_as_trainer(SAMPLES, PRICE, 1000))
    for miner in miners:
        meter.note("bidAsMiner", miner.bid_as_miner(FEE))
    meter.note("select", miners[0].select())
    for round_id in range(1, ROUNDS + 1):
        suffix = ".first" if round_id == 1 else ".last" if round_id == ROUNDS else ""
        play_round(task, trainers, miners, round_id, meter, suffix)
    for actor in (*trainers, *miners):
        meter.note("withdraw", actor.withdraw())
    table = meter.table()
    each = {"commit": TRAINERS, "reveal": TRAINERS, "check": MINERS, "seal": MINERS, "propose": 1, "open": MINERS - 2}
    # The last opening finalises the round.
    table["round"] = sum(count * table[name] for name, count in each.items()) + table["open+finalise"]
    table["round.trainer"] = table["commit"] + table["reveal"]
    return table


def publish(connection: Connection, sender: Sender, factory: str, meter: Meter) -> Task:
    terms = make_terms(rounds=ROUNDS, difficulty=1)
    parts = {
        name: secrets.token_bytes(32) for name in ("initialRoot", "initialContent", "manifestContent", "manifestHash")
    }
    parts |= {name: secrets.token_bytes(32) for name in ("validationContent", "validationHash")}
    sizes = {"parameterCount": 199_210, "manifestSize": 500, "validationSize": 785_018}
    values: dict[str, object] = {**terms.for_contract(), **parts, **sizes}
    codec = artifact("TaskFactory").codec
    call = codec.call("publish", tuple(values[name] for name in codec.fields("publish")))
    meter.note("publish", sender.wait(sender.send(factory, call, terms["reward"], codec), codec=codec))
    return Task(connection, codec.result("tasks", connection.call(factory, codec.call("tasks", 0))))


def play_round(
    task: Task, trainers: list[TaskActor], miners: list[TaskActor], round_id: int, meter: Meter, suffix: str
) -> None:
    """One honest round."""
    by_seat = {task.seat(Role.TRAINER, actor.sender.address): actor for actor in trainers}
    openings = {
        seat: UpdateOpening(secrets.token_bytes(32), secrets.token_bytes(32), SAMPLES, 1000, secrets.token_bytes(32))
        for seat in by_seat
    }
    for seat, actor in by_seat.items():
        digest = update_digest(task.place(round_id, 0, actor.sender.address), openings[seat])
        meter.note("commit" + suffix, actor.commit(digest))
    for seat, actor in by_seat.items():
        meter.note("reveal" + suffix, actor.reveal(openings[seat]))

    seated = {int(task.seat(Role.MINER, actor.sender.address) or 0): actor for actor in miners}
    verdicts = pack_verdicts(dict.fromkeys(range(TRAINERS), Verdict.OK))
    words = pack_scores(dict.fromkeys(range(TRAINERS), SCORE), TRAINERS)
    root, content = secrets.token_bytes(32), secrets.token_bytes(32)
    sealed = {seat: Opening(root, content, 9_000, words, secrets.token_bytes(32)) for seat in seated}
    for seat, actor in seated.items():
        meter.note("check" + suffix, actor.check(seat, verdicts))
    for seat, actor in seated.items():
        meter.note(
            "seal" + suffix, actor.seal(seat, seal_digest(task.place(round_id, 0, actor.sender.address), sealed[seat]))
        )
    (first, proposer), *others = seated.items()
    status = task.status()
    place = task.place(round_id, 0, proposer.sender.address)
    header = header_digest(place, status.head.block_hash, status.round.seals_digest, sealed[first], status.difficulty)
    nonce, _ = search_nonce(header, status.difficulty, lambda: False)
    meter.note("propose" + suffix, proposer.propose(first, sealed[first], nonce or 0))
    *middle, (last, closer) = others
    for seat, actor in middle:
        meter.note("open" + suffix, actor.open(seat, sealed[seat]))
    meter.note("open+finalise" + suffix, closer.open(last, sealed[last], words, SCORE))


def markdown(table: dict[str, int]) -> str:
    rows = [("per round, all functions", "round"), ("per trainer and round", "round.trainer")]
    names = ["publish", "bidAsTrainer", "bidAsMiner", "select", "commit", "reveal", "check", "seal", "propose", "open"]
    names += ["open+finalise", "open+finalise.last", "withdraw"]
    lines = ["| Function | Gas | In the first round |", "|---|---:|---:|"]
    for name in names:
        first = table.get(f"{name}.first")
        lines.append(f"| `{name}` | {table[name]:,} | {f'{first:,}' if first else ''} |")
    lines += [f"| {label} | {table[key]:,} | |" for label, key in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
