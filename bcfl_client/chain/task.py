"""One task contract: what it says now, and what an account may do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bcfl_client.chain.codec import Codec
from bcfl_client.chain.connection import Connection, RpcError
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.digests import Place
from bcfl_client.chain.sender import Receipt, Sender
from bcfl_client.errors import ChainError, ChainMismatch
from bcfl_client.types import (
    Event,
    Head,
    Opening,
    Phase,
    Role,
    Round,
    SignedCommit,
    Stage,
    State,
    Status,
    UpdateOpening,
)

__all__ = ["MinerSeat", "Task", "TaskActor", "TrainerSeat", "read_logs", "transaction_costs"]

_HEADROOM = 60_000  # gas
_VOTES_HEADROOM = 1_000_000  # gas: the call that ends Check counts all verdicts


@dataclass(frozen=True)
class TrainerSeat:
    """A selected trainer as the contract has it. Money in wei, `digest` is 25 bytes of its commitment or root."""

    account: str
    round_id: int
    stage: Stage
    samples: int
    cap: int
    strikes: int
    earned: int
    deposit: int
    price: int
    quality: int
    paid_rounds: int
    digest: bytes


@dataclass(frozen=True)
class MinerSeat:
    """A selected miner as the contract stores it. `trainer_seat` is its own seat as a trainer, or None; `result` the
    id of what it opened last."""

    account: str
    fee: int
    trainer_seat: int | None
    earned: int
    deposit: int
    strikes: int
    result: bytes


class Task:
    """Reads the task contract at `address`. Raises ChainMismatch unless there is one."""

    def __init__(self, connection: Connection, address: str) -> None:
        self.connection = connection
        self.address = address
        self.codec = artifact("LearningTask").codec
        if not connection.has_code(address):
            raise ChainMismatch(f"no contract at {address} on chain {connection.chain_id}; check --task and --rpc")
        try:
            self.terms: dict[str, Any] = self._read("terms")
            if self.status().state == State.NONE:
                raise ChainMismatch(f"the contract at {address} is not a task in use")
        except (ChainError, ValueError) as error:
            raise ChainMismatch(f"the contract at {address} is not a learning task") from error

    def status(self) -> Status:
        """Everything that a client polls, in one call."""
        s = self._read("status")
        return Status(
            State(s["state"]),
            Phase(s["phase"]),
            s["deadline"],
            s["attempt"],
            s["roundsLeft"],
            s["voidRounds"],
            s["difficulty"],
            s["sealsDigest"],
            Round(*s["round"].values()),  # fields of both stand in the contract's order
            Head(*s["head"].values()),
        )

    def publisher(self) -> str:
        """Who pays."""
        return str(self._read("publisher"))

    def factory(self) -> str:
        """The factory that made the task."""
        return str(self._read("factory"))

    def trainer_count(self) -> int:
        """Number of selected trainers."""
        return int(self._read("trainerCount"))

    def trainer(self, seat: int) -> TrainerSeat:
        """The trainer on `seat`."""
        return _trainer_seat(self._read("trainer", seat))

    def trainers(self) -> list[TrainerSeat]:
        """All selected trainers by seat, in one exchange."""
        return [_trainer_seat(t) for t in self._seats("trainer", self.trainer_count())]

    def miners(self) -> list[MinerSeat]:
        """All selected miners by seat, in one exchange."""
        return [
            MinerSeat(
                m["account"],
                m["fee"],
                m["trainerSeat"] - 1 if m["trainerSeat"] else None,
                m["earned"],
                m["deposit"],
                m["strikes"],
                m["result"],
            )
            for m in self._seats("miner", self._read("minerCount"))
        ]

    def bid(self, role: Role, account: str) -> dict[str, Any]:
        """The bid of `account`: deposit, price, samples, trainingTime, seat (1 + seat once selected)."""
        return dict(self._read("bidOf", int(role), account))

    def bid_count(self, role: Role) -> int:
        """Number of bids that are in."""
        return int(self._read("bidCount", int(role)))

    def seat(self, role: Role, account: str) -> int | None:
        """The seat of `account`, or None."""
        seat = self.bid(role, account)["seat"]
        return seat - 1 if seat else None

    def inputs(self) -> int:
        """Bitmap by trainer seat of the updates that are, or would now be, the round's inputs."""
        return int(self._read("inputs"))

    def stake(self, claim: bytes) -> dict[str, Any]:
        """The bond behind a claim: challenger, postedAt, round, seat, height; no challenger = none, or settled."""
        return dict(self._read("stakeOf", claim))

    def question(self, claim: bytes) -> dict[str, Any]:
        """The open question behind a claim: node, index, deadline; no node = none, or answered."""
        return dict(self._read("questionOf", claim))

    def pool(self) -> int:
        """Wei of the reward still in escrow."""
        return int(self._read("pool"))

    def burnt(self) -> int:
        """Wei burnt so far."""
        return int(self._read("burnt"))

    def withdrawable(self, account: str) -> int:
        """Wei that `withdraw` would send to `account` now."""
        return int(self._read("withdrawable", account))

    def place(self, round_id: int, attempt: int, sender: str) -> Place:
        """What this task's digests are bound to."""
        return Place(self.connection.chain_id, self.address, round_id, attempt, sender)

    def events(self, from_block: int = 0, to_block: int | None = None) -> list[Event]:
        """This task's events in the order of the chain."""
        return read_logs(self.connection, self.address, self.codec, from_block, to_block)

    def round_events(self, name: str, round_id: int) -> list[Event]:
        """Events `name` of one round, in the order of the chain."""
        topics = [self.codec.topic(name), f"0x{round_id:064x}"]
        return read_logs(self.connection, self.address, self.codec, topics=topics)

    def _seats(self, function: str, count: int) -> list[dict[str, Any]]:
        calls = [
            ("eth_call", [{"to": self.address, "data": "0x" + self.codec.call(function, i).hex()}, "pending"])
            for i in range(count)
        ]
        seats = []
        for answer in self.connection.batch(calls):
            if isinstance(answer, RpcError):
                raise answer
            seats.append(self.codec.result(function, bytes.fromhex(answer[2:])))
        return seats

    def _read(self, function: str, *args: object) -> Any:
        return self.codec.result(function, self.connection.call(self.address, self.codec.call(function, *args)))


def _trainer_seat(t: dict[str, Any]) -> TrainerSeat:
    return TrainerSeat(
        t["account"],
        t["round"],
        Stage(t["stage"]),
        t["samples"],
        t["cap"],
        t["strikes"],
        t["earned"],
        t["deposit"],
        t["price"],
        t["quality"],
        t["paidRounds"],
        t["digest"],
    )


class TaskActor:
    """What one account does to a task. Every method sends one transaction and waits for its block.

    Raises ContractReverted before anything is sent when the contract would refuse.
    """

    def __init__(self, task: Task, sender: Sender) -> None:
        self.task = task
        self.sender = sender

    def bid_as_trainer(self, samples: int, price: int, training_time: int) -> Receipt:
        """Offers `samples` at `price` wei per sample and round, `training_time` microseconds per sample."""
        deposit = samples * int(self.task.terms["trainerDeposit"])
        return self._act("bidAsTrainer", samples, price, training_time, value=deposit)

    def bid_as_miner(self, fee: int) -> Receipt:
        """Offers to mine for `fee` wei per block."""
        return self._act("bidAsMiner", fee, value=int(self.task.terms["minerDeposit"]))

    def select(self) -> Receipt:
        """Turns bids into seats."""
        return self._act("select")

    def cancel(self) -> Receipt:
        """Ends the task before selection."""
        return self._act("cancel")

    def commit(self, digest: bytes) -> Receipt:
        """Commits to an update."""
        return self._act("commit", digest)

    def commit_batch(self, commits: Sequence[SignedCommit]) -> Receipt:
        """Relays commitments that their trainers signed."""
        return self._act("commitBatch", [(c.digest, c.r, c.vs) for c in commits])

    def reveal(self, opening: UpdateOpening) -> Receipt:
        """Opens the own commitment."""
        return self._act("reveal", *opening.values)

    def reveal_batch(self, reveals: Sequence[tuple[str, UpdateOpening]]) -> Receipt:
        """Opens commitments of others, each with its trainer's account."""
        return self._act("revealBatch", [(account, *opening.values) for account, opening in reveals])

    def check(self, seat: int, verdicts: int) -> Receipt:
        """Posts the verdicts on the round's updates."""
        return self._act("check", seat, verdicts, headroom=_VOTES_HEADROOM)

    def seal(self, seat: int, digest: bytes) -> Receipt:
        """Seals the own aggregate and scores."""
        return self._act("seal", seat, digest, headroom=_VOTES_HEADROOM)

    def propose(self, seat: int, opening: Opening, nonce: int) -> Receipt:
        """Proposes a block."""
        return self._act("propose", seat, _tuple(opening), nonce)

    def propose_fast(self, seat: int, opening: Opening, nonce: int) -> Receipt:
        """Proposes a block without seals, as a trusted miner."""
        return self._act("proposeFast", seat, _tuple(opening), nonce)

    def commit_challenge(self, seat: int, digest: bytes) -> Receipt:
        """Posts a bond on the claim that the result of miner `seat` is false."""
        return self._act("commitChallenge", seat, digest, value=int(self.task.terms["challengeBond"]))

    def challenge(self, seat: int, coordinate: int, salt: bytes, content_digest: bytes, evidence: bytes) -> Receipt:
        """Shows a claim."""
        return self._act("challenge", seat, coordinate, salt, content_digest, evidence)

    def question(
        self,
        seat: int,
        root: bytes,
        content_digest: bytes,
        height: int,
        index: int,
        node: bytes,
        path: Sequence[bytes],
    ) -> Receipt:
        """Asks miner `seat` for what is below a node of its result's tree, with a bond."""
        bond = int(self.task.terms["challengeBond"])
        return self._act("question", seat, root, content_digest, height, index, node, list(path), value=bond)

    def answer(self, claim: bytes, parts: bytes) -> Receipt:
        """Answers a question."""
        return self._act("answer", claim, parts)

    def expire(self, claim: bytes) -> Receipt:
        """Refutes a result whose miner left a question without an answer."""
        return self._act("expire", claim)

    def reclaim(self, claim: bytes) -> Receipt:
        """Gives a bond back that was posted against a result which somebody else refuted."""
        return self._act("reclaim", claim)

    def open(self, seat: int, opening: Opening, medians: tuple[int, ...] = (), middle: int = 0) -> Receipt:
        """Opens the seal; with `medians`, finalises a round that this makes ready."""
        return self._act("open", seat, _tuple(opening), medians, middle)

    def finalise(self, medians: tuple[int, ...] = (), middle: int = 0) -> Receipt:
        """Ends the round."""
        return self._act("finalise", medians, middle)

    def withdraw(self, account: str | None = None) -> Receipt:
        """Sends `account` (the own one if None) what it may have."""
        return self._act("withdraw", account or self.sender.address)

    def _act(self, function: str, *args: object, value: int = 0, headroom: int = _HEADROOM) -> Receipt:
        data = self.task.codec.call(function, *args)
        digest = self.sender.send(self.task.address, data, value, self.task.codec, function, headroom)
        return self.sender.wait(digest, codec=self.task.codec)


def read_logs(
    connection: Connection,
    address: str,
    codec: Codec,
    from_block: int = 0,
    to_block: int | None = None,
    topics: Sequence[str] = (),
) -> list[Event]:
    """Decoded logs of the contract at `address` that start with `topics`, in the order of the chain."""
    wanted: dict[str, object] = {"address": address, "fromBlock": hex(from_block), "toBlock": "latest"}
    if to_block is not None:
        wanted["toBlock"] = hex(to_block)
    if topics:
        wanted["topics"] = list(topics)
    logs = connection.request("eth_getLogs", wanted)
    events = [event for log in logs if (event := codec.event(log)) is not None]
    return sorted(events, key=lambda event: (event.block, event.log_index))


def transaction_costs(task: Task, transactions: Sequence[str]) -> list[tuple[str, int]]:
    """Function called and gas used of each of these transactions to `task`."""
    calls = [("eth_getTransactionByHash", [digest]) for digest in transactions]
    receipts = [("eth_getTransactionReceipt", [digest]) for digest in transactions]
    answers = task.connection.batch([*calls, *receipts])
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    pairs = zip(answers[: len(calls)], answers[len(calls) :])
    return [(task.codec.function(bytes.fromhex(sent["input"][2:])), int(got["gasUsed"], 16)) for sent, got in pairs]


def _tuple(opening: Opening) -> tuple[object, ...]:
    return (opening.root, opening.content_digest, opening.accuracy, opening.scores, opening.salt)
