"""One task on a development chain, played by accounts of its own: what the gas measurement drives.

Contracts, calls and parameter trees are real. Everything follows from names, so that two runs cost the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak
from numpy.typing import NDArray

from bcfl_client.aggregation import aggregate, update_weight
from bcfl_client.chain.connection import Connection
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.digests import challenge_digest, header_digest, seal_digest, update_digest
from bcfl_client.chain.sender import Receipt, Sender
from bcfl_client.chain.signing import sign_commit
from bcfl_client.chain.task import Task, TaskActor
from bcfl_client.disputes.evidence import LeafProof, ProofInput, build_evidence
from bcfl_client.learning.tree import ParameterTree
from bcfl_client.roles.mining import search_nonce
from bcfl_client.terms import make_terms
from bcfl_client.types import Opening, SignedCommit, UpdateOpening, Verdict, pack_scores, pack_verdicts

__all__ = ["PARAMETERS", "Stage", "word"]

PARAMETERS = 199_210  # of the demo's model: 6,226 leaves, paths of 13
SAMPLES, PRICE, FEE, SCORE = 5_900, 500 * 10**9, 10**16, 50_000
_RICH = 10**24

Note = Callable[[str, Receipt], None]


def word(*names: object) -> bytes:
    """32 bytes that follow from `names`."""
    return keccak(text="/".join(map(str, names)))


@dataclass
class Stage:
    """A published and selected task with `trainers` and `miners` in it; `note` hears of every call."""

    connection: Connection
    factory: str
    name: str
    trainers: int
    note: Note
    terms: dict[str, int | str] = field(default_factory=dict)
    miners: int = 3

    def __post_init__(self) -> None:
        self.task = self._publish()
        self.trainer_actors = [self._actor("trainer", i) for i in range(self.trainers)]
        self.miner_actors = [self._actor("miner", i) for i in range(self.miners)]
        for actor in self.trainer_actors:
            self.note("bidAsTrainer", actor.bid_as_trainer(SAMPLES, PRICE, 1000))
        for actor in self.miner_actors:
            self.note("bidAsMiner", actor.bid_as_miner(FEE))
        self.note("select", self.miner_actors[0].select())

    # ---------------------------------------------------------------- trainers

    def openings(self, values: Sequence[NDArray[np.int32]] = ()) -> list[UpdateOpening]:
        """What the trainers reveal in the running round: trees over `values`, or hashes of nothing."""
        round_id = self.task.status().round.id
        roots = [ParameterTree(update).root for update in values] or [
            word(self.name, round_id, "root", i) for i in range(self.trainers)
        ]
        return [
            UpdateOpening(root, word(self.name, round_id, "content", i), SAMPLES, 1000, word(self.name, round_id, i))
            for i, root in enumerate(roots)
        ]

    def update_directly(self, openings: Sequence[UpdateOpening], suffix: str = "") -> None:
        """Every trainer commits and reveals by itself."""
        for actor, opening in zip(self.trainer_actors, openings):
            self.note("commit" + suffix, actor.commit(self._commitment(actor, opening)))
        for actor, opening in zip(self.trainer_actors, openings):
            self.note("reveal" + suffix, actor.reveal(opening))

    def update_in_a_batch(self, openings: Sequence[UpdateOpening]) -> None:
        """All trainers sign, one relay sends."""
        relay, round_id = self._actor("relay", 0), self.task.status().round.id
        commits: list[SignedCommit] = []
        for actor, opening in zip(self.trainer_actors, openings):
            place = self.task.place(round_id, 0, actor.sender.address)
            commits.append(sign_commit(self._account("trainer", len(commits)), place, update_digest(place, opening)))
        self.note("commitBatch", relay.commit_batch(commits))
        reveals = [(actor.sender.address, opening) for actor, opening in zip(self.trainer_actors, openings)]
        self.note("revealBatch", relay.reveal_batch(reveals))

    # ---------------------------------------------------------------- miners

    def check_and_seal(self, sealed: Sequence[Opening], suffix: str = "") -> None:
        """Every miner accepts all updates and seals its own of the openings."""
        verdicts = pack_verdicts(dict.fromkeys(range(self.trainers), Verdict.OK))
        for seat, actor in enumerate(self.miner_actors):
            self.note("check" + suffix, actor.check(seat, verdicts))
        self.seal(sealed, suffix)

    def seal(self, sealed: Sequence[Opening], suffix: str = "") -> None:
        """Every miner seals its own of the openings."""
        round_id = self.task.status().round.id
        for seat, (actor, opening) in enumerate(zip(self.miner_actors, sealed)):
            digest = seal_digest(self.task.place(round_id, 0, actor.sender.address), opening)
            self.note("seal" + suffix, actor.seal(seat, digest))

    def propose_and_open(self, sealed: Sequence[Opening], suffix: str = "", finalise: bool = True) -> None:
        """The first miner proposes, the others open; the last one finalises in the same call."""
        self.propose(sealed[0], suffix)
        last = self.miners - 1
        for seat in range(1, self.miners):
            if seat == last and finalise:
                receipt = self.miner_actors[seat].open(seat, sealed[seat], sealed[seat].scores, SCORE)
                self.note("open+finalise" + suffix, receipt)
            else:
                self.note("open" + suffix, self.miner_actors[seat].open(seat, sealed[seat]))

    def propose(self, opening: Opening, suffix: str = "") -> None:
        """The first miner finds a block."""
        status, proposer = self.task.status(), self.miner_actors[0]
        place = self.task.place(status.round.id, 0, proposer.sender.address)
        header = header_digest(place, status.head.block_hash, status.seals_digest, opening, status.difficulty)
        nonce, _ = search_nonce(header, status.difficulty, lambda: False)
        self.note("propose" + suffix, proposer.propose(0, opening, nonce or 0))

    def opening(self, root: bytes | None = None, content: bytes | None = None, salt: object = 0) -> Opening:
        """A miner's result with equal scores for everybody."""
        round_id = self.task.status().round.id
        words = pack_scores(dict.fromkeys(range(self.trainers), SCORE), self.trainers)
        return Opening(
            root or word(self.name, round_id, "aggregate"),
            content or word(self.name, round_id, "aggregate bytes"),
            9_000,
            words,
            word(self.name, round_id, "seal", salt),
        )

    def play_round(self, suffix: str = "") -> None:
        """One honest round."""
        self.update_directly(self.openings(), suffix)
        sealed = [self.opening(salt=seat) for seat in range(self.miners)]
        self.check_and_seal(sealed, suffix)
        self.propose_and_open(sealed, suffix)

    # ---------------------------------------------------------------- disputes

    def dispute(self, rule: int, trim_share: int, batch: bool) -> None:
        """A round in which two of three miners stand for a result with one parameter off by one, and a watcher."""
        random = np.random.default_rng(len(self.name))
        # Weights of a trained network: most of them small, a few large.
        values = [(random.normal(0, 0.05, PARAMETERS) * 2**24).astype(np.int32) for _ in range(self.trainers)]
        (self.update_in_a_batch if batch else self.update_directly)(self.openings(values))
        quality = self.task.terms["startQuality"]
        weights = [update_weight(SAMPLES, quality)] * self.trainers
        right = aggregate(rule, values, weights, trim_share)
        wrong, coordinate = right.copy(), PARAMETERS // 2
        wrong[coordinate] += 1
        tree = ParameterTree(wrong)
        false = [self.opening(tree.root, salt=seat) for seat in range(2)]
        sealed = [*false, self.opening(ParameterTree(right).root, salt=2)]
        self.check_and_seal(sealed)
        self.propose_and_open(sealed, finalise=False)

        inputs = [
            ProofInput(actor.sender.address, weight, update)
            for actor, weight, update in zip(self.trainer_actors, weights, values)
        ]
        evidence = build_evidence(rule, trim_share, inputs, coordinate, tree.root, LeafProof.of(tree, coordinate))
        watcher, salt = self._actor("watcher", 0), word(self.name, "challenge")
        place = self.task.place(self.task.status().round.id, 0, watcher.sender.address)
        claim = challenge_digest(place, 0, coordinate, salt)
        self.note("challenge.commit", watcher.commit_challenge(0, claim))
        shown = watcher.challenge(0, coordinate, salt, false[0].content_digest, evidence)
        self.note("challenge.show", shown)
        assert self.task.status().round.refuted == 1

    # ---------------------------------------------------------------- accounts

    def _commitment(self, actor: TaskActor, opening: UpdateOpening) -> bytes:
        place = self.task.place(self.task.status().round.id, 0, actor.sender.address)
        return update_digest(place, opening)

    def _account(self, role: str, index: int) -> LocalAccount:
        account: LocalAccount = Account.from_key(word("key", role, index))
        return account

    def _sender(self, role: str, index: int) -> Sender:
        account = self._account(role, index)
        self.connection.request("anvil_setBalance", account.address, hex(_RICH))
        return Sender(self.connection, account)

    def _actor(self, role: str, index: int) -> TaskActor:
        return TaskActor(self.task, self._sender(role, index))

    def _publish(self) -> Task:
        sender = self._sender("publisher", 0)
        sizes = {"trainer_slots": self.trainers, "miner_slots": self.miners, "min_trainers": min(3, self.trainers)}
        terms = make_terms(**{"difficulty": 1, "reward": "10 ether", **sizes, **self.terms})
        hashes = ("initialRoot", "initialContent", "manifestContent", "manifestHash", "validationContent")
        values: dict[str, object] = {
            **terms.for_contract(),
            **{name: word(self.name, name) for name in (*hashes, "validationHash")},
            "parameterCount": PARAMETERS,
            "manifestSize": 500,
            "validationSize": 785_018,
        }
        codec = artifact("TaskFactory").codec
        call = codec.call("publish", tuple(values[name] for name in codec.fields("publish")))
        receipt = sender.wait(sender.send(self.factory, call, terms["reward"], codec), codec=codec)
        self.note("publish", receipt)
        count = codec.result("taskCount", self.connection.call(self.factory, codec.call("taskCount")))
        address = codec.result("tasks", self.connection.call(self.factory, codec.call("tasks", count - 1)))
        return Task(self.connection, address)
