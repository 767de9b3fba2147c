"""One false result and what an account does about it: fetch or ask for its bytes, commit to a proof, show it.

Everything that a later process needs is in the journal before the transaction that relies on it is sent: salt and
coordinate, the evidence itself, the nodes that were asked for. The same claim goes out again after a crash, and the
contract takes a claim once: there is never a second bond for the same claim.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.chain.digests import challenge_digest, claim_id, question_digest
from bcfl_client.disputes import Descent, LeafProof, build_evidence, first_difference
from bcfl_client.errors import ChainError, ContentError, ContractReverted
from bcfl_client.learning.encoding import decode_parameters
from bcfl_client.learning.tree import ParameterTree
from bcfl_client.roles.journal import Journal
from bcfl_client.roles.results import Result
from bcfl_client.roles.session import Session
from bcfl_client.roles.updates import RoundUpdates
from bcfl_client.storage import Content
from bcfl_client.types import Event, Status, bits

__all__ = ["CASE_PREFIX", "Case", "Judgement", "Record"]

CASE_PREFIX = "case-"
_PATIENCE_SHARE = 0.25  # of the shortest window, before bytes that are not there count as withheld
_MAX_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Judgement:
    """What a round's result must be: `values`, int32 [count], the exact aggregate of `inputs` (trainer seats)."""

    inputs: tuple[int, ...]
    values: NDArray[np.int32]
    result: Result

    @cached_property
    def tree(self) -> ParameterTree:
        """The tree over the values."""
        return ParameterTree(self.values)


@dataclass(frozen=True)
class Record:
    """What the journal holds of a case. `coordinate` and `salt` are those of the challenge, once there is a proof;
    `nodes` (height, index) were asked for; `closed` says that no bond is left in it."""

    round_id: int
    seat: int
    result: Result
    coordinate: int | None = None
    salt: bytes = b""
    nodes: tuple[tuple[int, int], ...] = ()
    committed: bool = False
    closed: bool = False

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Record:
        """From a journal's entry."""
        result = Result(bytes.fromhex(entry["root"]), bytes.fromhex(entry["content"]))
        nodes = tuple((int(height), int(index)) for height, index in entry["nodes"])
        salt = bytes.fromhex(entry["salt"])
        return cls(
            entry["round"], entry["seat"], result, entry["coordinate"], salt, nodes, entry["committed"], entry["closed"]
        )

    def save(self, journal: Journal) -> None:
        """On disk when this returns."""
        journal.write(
            CASE_PREFIX + self.result.id.hex(),
            self.round_id,
            seat=self.seat,
            root=self.result.root,
            content=self.result.content_digest,
            coordinate=self.coordinate,
            salt=self.salt,
            nodes=self.nodes,
            committed=self.committed,
            closed=self.closed,
        )

    @property
    def evidence_name(self) -> str:
        """The file with the evidence, in the journal's folder."""
        return f"evidence-{self.round_id}-{self.result.id.hex()[:16]}.bin"

    def claims(self, session: Session) -> list[bytes]:
        """Ids of all claims on which the session's account may have a bond in this case; that of a proof comes last."""
        place = session.task.place(self.round_id, 0, session.address)
        claims = [question_digest(place, self.seat, height, index) for height, index in self.nodes]
        if self.coordinate is not None:
            claims.append(claim_id(self.seat, self.digest(session), session.address))
        return claims

    def digest(self, session: Session) -> bytes:
        """What the session's account commits to."""
        assert self.coordinate is not None
        place = session.task.place(self.round_id, 0, session.address)
        return challenge_digest(place, self.seat, self.coordinate, self.salt)


class Case:
    """The running case against the result of `record`, which is not the one of `truth`."""

    def __init__(self, session: Session, record: Record, truth: Judgement, updates: RoundUpdates) -> None:
        self.record = record
        self.hopeless = False  # nothing can be shown against it
        self._session = session
        self._truth = truth
        self._updates = updates
        terms = session.task.terms
        windows = [terms[name] for name in ("minWindow", "challengeWindow", "responseWindow") if terms[name]]
        patience = 0.0 if record.nodes else min(_MAX_PATIENCE_SECONDS, _PATIENCE_SHARE * min(windows))
        self._patience = time.monotonic() + patience

    def step(self, status: Status, results: dict[int, Result]) -> None:
        """Does what can be done now. `results` are all of the round by miner seat; its window is open.

        Raises ContractReverted when the chain has moved on, InputError when the account cannot pay the bond.
        """
        refuted = [seat for seat in bits(status.round.refuted) if results.get(seat) == self.record.result]
        if refuted and not self._was_first(refuted):
            return
        if self.record.coordinate is None:
            found = self._difference(results)
            if found is None or not self._prepare(*found):
                return
        self._challenge()

    def _difference(self, results: dict[int, Result]) -> tuple[int, LeafProof] | None:
        """A wrong coordinate and the result's leaf with it, once they are known."""
        if self._truth.result.root == self.record.result.root:
            self._give_up("it is the right model under a false content id, which no proof can show")
            return None
        tree = self._fetch()
        if tree is not None:
            at = first_difference(self._truth.values, tree.values)
            assert at is not None, "equal parameters under unequal roots"
            return at, LeafProof.of(tree, at)
        return self._ask(results) if time.monotonic() >= self._patience else None

    def _fetch(self) -> ParameterTree | None:
        """The false model, if the store has it."""
        content = Content(self.record.result.content_digest, 4 * len(self._truth.values))
        try:
            data = self._session.store.get(content)
            tree = ParameterTree(decode_parameters(data, len(self._truth.values), content.cid))
        except ContentError:
            return None
        return tree if tree.root == self.record.result.root else None

    def _prepare(self, coordinate: int, leaf: LeafProof) -> bool:
        """Writes evidence and salt down. False when there is no evidence that would convince the contract."""
        terms, inputs = self._session.task.terms, self._updates.proof_inputs(self._truth.inputs)
        root = self.record.result.root
        try:
            shown = build_evidence(terms["aggregationRule"], terms["trimShare"], inputs, coordinate, root, leaf)
        except (ValueError, ChainError) as error:
            self._give_up(str(error))
            return False
        self._session.journal.save(self.record.evidence_name, shown)
        self._write(coordinate=coordinate, salt=secrets.token_bytes(32))
        return True

    def _give_up(self, reason: str) -> None:
        self.hopeless = True
        self._session.report(
            "cannot refute", {"round": self.record.round_id, "miner": self.record.seat, "reason": reason}
        )

    def _challenge(self) -> None:
        session, record = self._session, self.record
        assert record.coordinate is not None
        claim = record.claims(session)[-1]
        facts: dict[str, object] = {"round": record.round_id, "miner": record.seat, "coordinate": record.coordinate}
        if not self._own(claim):
            if record.committed:
                return  # shown already
            session.actor.commit_challenge(record.seat, record.digest(session))
            session.report("committed to a proof", {**facts, "bond": session.task.terms["challengeBond"]})
        if not record.committed:
            self._write(committed=True)
        shown = session.journal.read(record.evidence_name)
        session.actor.challenge(record.seat, record.coordinate, record.salt, record.result.content_digest, shown)
        session.report("refuted", facts)

    # ------------------------------------------------------------------ questions

    def _ask(self, results: dict[int, Result]) -> tuple[int, LeafProof] | None:
        """Takes the answers that came, whoever asked; asks for the next node; ends a question without an answer."""
        session, record = self._session, self.record
        descent = Descent(self._truth.tree, record.result.root)
        asked = [
            event
            for event in session.task.round_events("Questioned", record.round_id)
            if results.get(_number(event, "seat")) == record.result
        ]
        asked.sort(key=lambda event: -_number(event, "height"))
        answers = {event.args["claim"]: event for event in session.task.round_events("Answered", record.round_id)}
        for event in asked:
            answer = answers.get(event.args["claim"])
            if answer is not None:
                parts = answer.args["parts"]
                assert isinstance(parts, bytes)
                descent.take(_number(event, "height"), _number(event, "index"), parts)
        if (found := descent.proof()) is not None:
            return found
        question = descent.question()
        assert question is not None, "neither a proof nor a question"
        for event in asked:
            node = _number(event, "height"), _number(event, "index")
            if node == (question.height, question.index) and event.args["claim"] not in answers:
                self._expire(event)
                return None
        node = question.height, question.index
        if node not in record.nodes:
            self._write(nodes=(*record.nodes, node))
        content = record.result.content_digest
        session.actor.question(record.seat, record.result.root, content, *node, question.node, question.path)
        session.report(
            "asked for withheld bytes",
            {"round": record.round_id, "miner": record.seat, "height": node[0], "index": node[1]},
        )
        return None

    def _expire(self, event: Event) -> None:
        """Refutes by silence, once the deadline of the question has passed."""
        session = self._session
        claim = event.args["claim"]
        assert isinstance(claim, bytes)
        now = session.task.connection.request("eth_getBlockByNumber", "pending", False)
        if int(now["timestamp"], 16) < _number(event, "deadline"):
            return
        try:
            session.actor.expire(claim)
        except ContractReverted as error:
            if error.name != "LearningTask_TooEarly":
                raise
            return
        session.report("refuted by silence", {"round": self.record.round_id, "miner": self.record.seat})

    # ------------------------------------------------------------------ claims

    def _own(self, claim: bytes) -> bool:
        """Whether this account has a bond on `claim`."""
        return str(self._session.task.stake(claim)["challenger"]) == self._session.address

    def _was_first(self, refuted: list[int]) -> bool:
        """Whether an own commitment is older than every one that refuted the result: then the bounty is still to be
        had. On a tie, who showed it first has it."""
        if self.record.coordinate is None:
            return False
        stake = self._session.task.stake(self.record.claims(self._session)[-1])
        if str(stake["challenger"]) != self._session.address:
            return False
        names = ("ChallengeCommitted", "Questioned")
        events = [event for name in names for event in self._session.task.round_events(name, self.record.round_id)]
        posted = {event.args["claim"]: event.block for event in events}
        shown = [
            posted[event.args["claim"]]
            for event in self._session.task.round_events("Refuted", self.record.round_id)
            if event.args["seat"] in refuted
        ]
        return all(stake["postedAt"] < block for block in shown)

    def _write(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        self.record.save(self._session.journal)


def _number(event: Event, name: str) -> int:
    return int(str(event.args[name]))
