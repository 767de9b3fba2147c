"""A small task on a real chain, played act by act: honest unless a test says otherwise."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak
from numpy.typing import NDArray

from bcfl_client.aggregation import aggregate, update_weight
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.digests import (
    Place,
    content_hash,
    fast_header_digest,
    header_digest,
    seal_digest,
    target,
    update_digest,
    work_digest,
)
from bcfl_client.chain.task import Task, TaskActor, read_logs
from bcfl_client.errors import ContractReverted
from bcfl_client.learning.encoding import encode_model, encode_parameters
from bcfl_client.learning.manifest import Hyperparameters, Manifest
from bcfl_client.learning.models import build_model
from bcfl_client.learning.tree import parameter_root
from bcfl_client.learning.validation import ValidationSet, encode_validation
from bcfl_client.scoring.inputs import ScoredRound
from bcfl_client.scoring.medians import round_medians
from bcfl_client.scoring.rules import score_round
from bcfl_client.scoring.validation_accuracy import Counted, ValidationScorer
from bcfl_client.storage import Content, DirectoryStore
from bcfl_client.types import (
    Opening,
    Phase,
    Role,
    SignedCommit,
    UpdateOpening,
    Verdict,
    bits,
    pack_scores,
    pack_verdicts,
    unpack_scores,
)

from .world import BASE, World

SHAPE, CLASSES, IMAGES = (2, 2), 3, 60
Update = NDArray[np.int32]


@dataclass
class Stage:
    """One task, its publisher (dev account 1), trainers (from 2), miners (from 10) and watchers (from 16)."""

    world: World
    store: DirectoryStore
    terms: dict[str, Any] = field(default_factory=dict)
    model: str = "2nn"
    offers: tuple[tuple[int, int], ...] = ((100, 300), (250, 200), (40, 100))  # samples, price
    fees: tuple[int, ...] = (30_001, 20_000, 10_000)
    miner_accounts: tuple[int, ...] = (10, 11, 12)
    builds: str = "2nn"  # what the model really is, where the manifest names a user's own

    def __post_init__(self) -> None:
        rng = np.random.default_rng(7)
        images = rng.integers(0, 256, (IMAGES, *SHAPE), dtype=np.uint8)
        self.validation = ValidationSet(images, (np.arange(IMAGES) % CLASSES).astype(np.uint8), CLASSES)
        model = build_model(self.builds, SHAPE, CLASSES, 3)
        tensors = tuple((one.name, one.shape) for one in model.shapes)
        self.manifest = Manifest(self.model, tensors, "test", SHAPE, CLASSES, Hyperparameters())
        self.base: Update = encode_model(model)
        self.scorer = ValidationScorer(model, self.validation.images, self.validation.labels)
        self.updates: dict[tuple[int, int], Update] = {}
        self.openings: dict[int, Opening] = {}  # of the running round, by miner seat
        self.known: dict[bytes, Update] = {}  # by parameter root: what the store has
        self.task = self._publish()
        self.trainers: dict[int, TaskActor] = {}  # by seat
        self.miners: dict[int, TaskActor] = {}

    def copy(self, folder: Path) -> Stage:
        """The same task at the same point, with a store and senders of its own."""
        twin = copy(self)
        shutil.copytree(self.store.url.removeprefix("dir:"), folder)
        twin.store, twin.updates, twin.known = DirectoryStore(folder), dict(self.updates), dict(self.known)
        twin.publisher = twin.actor(1)
        twin.take_seats()
        return twin

    # ------------------------------------------------------------------ before

    def _publish(self) -> Task:
        initial = encode_parameters(self.base)
        manifest, validation = self.manifest.to_bytes(), encode_validation(self.validation)
        terms = {
            **BASE,
            "initialRoot": parameter_root(initial),
            "initialContent": self.store.put(initial).digest,
            "parameterCount": len(self.base),
            "manifestContent": self.store.put(manifest).digest,
            "manifestHash": content_hash(manifest),
            "manifestSize": len(manifest),
            "validationContent": self.store.put(validation).digest,
            "validationHash": content_hash(validation),
            "validationSize": len(validation),
            **self.terms,
        }
        codec = artifact("TaskFactory").codec
        sender, factory = self.world.sender(1), self.world.contracts.factory
        call = codec.call("publish", tuple(terms[name] for name in codec.fields("publish")))
        receipt = sender.wait(sender.send(factory, call, terms["reward"], codec), codec=codec)
        (made,) = read_logs(self.world.connection, factory, codec, receipt.block, receipt.block)
        self.publisher = TaskActor(Task(self.world.connection, str(made.args["task"])), sender)
        return self.publisher.task

    def actor(self, account: int) -> TaskActor:
        """What the dev account `account` does."""
        return TaskActor(self.task, self.world.sender(account))

    def bid(self) -> Stage:
        """All bid as given, as long as bids are taken and good enough."""
        with suppress(ContractReverted):
            for i, (samples, price) in enumerate(self.offers):
                self.actor(2 + i).bid_as_trainer(samples, price, 100)
        with suppress(ContractReverted):
            for account, fee in zip(self.miner_accounts, self.fees):
                self.actor(account).bid_as_miner(fee)
        return self

    def select(self) -> Stage:
        """Bidding ends, seats are given."""
        if self.task.status().phase == Phase.BIDDING:
            self.let_pass(Phase.BIDDING)
        self.publisher.select()
        self.take_seats()
        return self

    def take_seats(self) -> None:
        """Finds out who sits where."""
        self.trainers, self.miners = {}, {}
        by_address = {account.address: i for i, account in enumerate(self.world.accounts)}
        for seat, trainer in enumerate(self.task.trainers()):
            self.trainers[seat] = self.actor(by_address[trainer.account])
        for seat, miner in enumerate(self.task.miners()):
            self.miners[seat] = self.actor(by_address[miner.account])

    def let_pass(self, phase: Phase) -> None:
        """Lets the clock end `phase`."""
        status = self.task.status()
        assert status.phase == phase
        self.world.later(status.deadline - self.world.now()[0] + 1)
        assert self.task.status().phase != phase

    # ------------------------------------------------------------------ a round

    @property
    def round_id(self) -> int:
        return self.task.status().round.id

    def update(self, seat: int) -> Update:
        """What the trainer on `seat` learnt this round: noise around the first model."""
        key = (self.round_id, seat)
        if key not in self.updates:
            noise = np.random.default_rng(key).integers(-(2**24), 2**24, len(self.base), dtype=np.int32)
            self.updates[key] = self.base + noise
        return self.updates[key]

    def commit(
        self, but: Collection[int] = (), contents: Mapping[int, Update] | None = None, relayed: Collection[int] = ()
    ) -> None:
        """All commit; the clock stands in for who does not. `contents` by seat stand for other bytes; what the
        `relayed` sign is brought by a watcher."""
        signed = []
        for seat, actor in self.active_trainers().items():
            if seat in but:
                continue
            digest = update_digest(self._place(actor), self._opening(seat, contents))
            if seat in relayed:
                signed.append(self._signed(actor, digest))
            else:
                actor.commit(digest)
        if signed:
            self.actor(16).commit_batch(signed)
        if self.task.status().phase == Phase.COMMIT:
            self.let_pass(Phase.COMMIT)

    def reveal(
        self, but: Collection[int] = (), contents: Mapping[int, Update] | None = None, relayed: Collection[int] = ()
    ) -> None:
        """All who committed put their bytes into the store and reveal, the `relayed` through a watcher."""
        stored = self.task.trainers()
        batch = []
        for seat, actor in self.trainers.items():
            if stored[seat].round_id == self.round_id and seat not in but:
                self.store.put(encode_parameters(self.update(seat)))
                opening = self._opening(seat, contents)
                if seat in relayed:
                    batch.append((actor.sender.address, opening))
                else:
                    actor.reveal(opening)
        if batch:
            self.actor(16).reveal_batch(batch)
        if self.task.status().phase == Phase.REVEAL:
            self.let_pass(Phase.REVEAL)

    def check(self, verdicts: Mapping[int, Mapping[int, Verdict]] | None = None, but: Collection[int] = ()) -> None:
        """All find all updates in order, except for `verdicts` by miner and trainer seat."""
        for seat, actor in self.active_miners().items():
            if seat not in but:
                said = dict.fromkeys(self.trainers, Verdict.OK) | dict((verdicts or {}).get(seat, {}))
                actor.check(seat, pack_verdicts(said))
        if self.task.status().phase == Phase.CHECK:
            self.let_pass(Phase.CHECK)

    def aggregate(self, some: Sequence[int] | None = None) -> Update:
        """What the rule makes of the round's inputs, or of some of them."""
        inputs, trainers, terms = some or bits(self.task.inputs()), self.task.trainers(), self.task.terms
        weights = [update_weight(min(trainers[i].samples, trainers[i].cap), trainers[i].quality) for i in inputs]
        return aggregate(terms["aggregationRule"], [self.update(i) for i in inputs], weights, terms["trimShare"])

    def scores(self, inputs: Sequence[int]) -> dict[int, int]:
        """What the task's rule gives the round's inputs."""
        start = self.parameters(self.task.status().head.content_digest)
        updates = {i: self.update(i) for i in inputs}
        played = ScoredRound(start, updates, self.aggregate, self.scorer.count, self.scorer.guessed)
        return score_round(self.task.terms["scoringRule"], played, inputs).scores()

    def result(self, seat: int, **changes: Any) -> Opening:
        """What an honest miner seals, with `changes`; the aggregate's bytes go into the store."""
        inputs, values = bits(self.task.inputs()), self.aggregate()
        scores = pack_scores(self.scores(inputs), len(self.trainers))
        accuracy = self.scorer.count(values).accuracy_bps
        return replace(Opening(*self.named(values), accuracy, scores, bytes([seat]) * 32), **changes)

    def false_result(self, coordinate: int, error: int = 1) -> dict[str, bytes]:
        """Changes to an opening: served bytes that are wrong at one coordinate."""
        values = self.aggregate().copy()
        values[coordinate] += error
        root, digest = self.named(values)
        return {"root": root, "content_digest": digest}

    def named(self, values: Update) -> tuple[bytes, bytes]:
        """Root and content digest of `values`, which everybody can get now."""
        root = parameter_root(values)
        self.known[root] = values
        return root, self.put(values).digest

    def mine(
        self,
        changes: Mapping[int, Mapping[str, Any]] | None = None,
        no_seal: Collection[int] = (),
        no_open: Collection[int] = (),
        proposers: Collection[int] = (0,),
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Seal, mine and open; `changes` by miner seat to what an honest one would say. What happens `meanwhile`, after
        every block and opening, may stop others."""
        active = self.active_miners()
        self.openings = {seat: self.result(seat, **dict((changes or {}).get(seat, {}))) for seat in active}
        for seat, actor in active.items():
            if seat not in no_seal:
                actor.seal(seat, seal_digest(self._place(actor), self.openings[seat]))
        if self.task.status().phase == Phase.SEAL:
            self.let_pass(Phase.SEAL)
        for seat in proposers:
            if seat in self.active_miners() and self.task.status().phase == Phase.MINE:
                self.propose(seat)
                meanwhile()
        if self.task.status().phase == Phase.MINE:
            self.let_pass(Phase.MINE)
        for seat in set(active) - {*no_seal, *no_open, *proposers}:
            if seat in self.active_miners() and self.task.status().phase == Phase.OPEN:
                self.miners[seat].open(seat, self.openings[seat])
                meanwhile()
        if self.task.status().phase == Phase.OPEN:
            self.let_pass(Phase.OPEN)

    def propose(self, seat: int) -> None:
        """A block with enough work, of the attempt that is due."""
        status, actor, opening = self.task.status(), self.miners[seat], self.openings[seat]
        place = self.task.place(self.round_id, status.attempt, actor.sender.address)
        header = header_digest(place, status.head.block_hash, status.seals_digest, opening, status.difficulty)
        actor.propose(seat, opening, _nonce(header, status.difficulty))

    def propose_fast(self, seat: int, **changes: Any) -> None:
        """A block without seals; it can be disputed, or is drawn, from the chain's next block on."""
        status, actor, opening = self.task.status(), self.miners[seat], self.result(seat, **changes)
        inputs = self.task.inputs()
        header = fast_header_digest(self._place(actor), status.head.block_hash, inputs, opening, status.difficulty)
        actor.propose_fast(seat, opening, _nonce(header, status.difficulty))
        self.openings = {seat: opening}
        self.world.later(1)

    def finalise(self) -> None:
        """The clock ends what is left; anybody finalises."""
        while (phase := self.task.status().phase) in (Phase.SEAL, Phase.MINE, Phase.OPEN, Phase.CHALLENGE):
            self.let_pass(phase)
        opened: dict[tuple[bytes, bytes], list[tuple[int | None, list[int]]]] = defaultdict(list)
        miners, count, inputs = self.task.miners(), len(self.trainers), bits(self.task.inputs())
        for event in self.task.round_events("Opened", self.round_id):
            args: Any = event.args
            said = unpack_scores(args["opening"]["scores"], count)
            opened[args["opening"]["root"], args["opening"]["contentId"]].append(
                (miners[args["seat"]].trainer_seat, said)
            )
        # The contract knows which of the results counts, if any.
        for votes in sorted(opened.values(), key=len, reverse=True):
            medians, middle = round_medians(votes, inputs)
            with suppress(ContractReverted):
                self.publisher.finalise(pack_scores(medians, count), middle)
                return
        self.publisher.finalise()

    def honest_round(self) -> None:
        """A whole round in which everybody does what is expected."""
        self.commit()
        self.reveal()
        self.check()
        self.mine()
        self.finalise()

    # ------------------------------------------------------------------ after

    def withdraw_all(self) -> None:
        """Everybody takes out what there is."""
        for account in range(1, 20):
            actor = self.actor(account)
            if self.task.withdrawable(actor.sender.address):
                actor.withdraw()

    def score(self, values: Update, images: int = 0) -> int:
        """The score of `values` with `images` more right."""
        counted = self.scorer.count(values)
        return Counted(counted.correct + images, counted.count).score

    def parameters(self, digest: bytes) -> Update:
        """A copy of what the store has under `digest`."""
        return np.frombuffer(self.store.get(Content(digest, 4 * len(self.base))), dtype="<i4").copy()

    def put(self, values: Update) -> Content:
        """Stores `values`."""
        return self.store.put(encode_parameters(values))

    def root(self, values: Update) -> bytes:
        """The parameter root of `values`."""
        return parameter_root(values)

    def content(self, values: Update) -> Content:
        """What names `values` in the store."""
        return Content.of(encode_parameters(values))

    def active_miners(self) -> dict[int, TaskActor]:
        """Those who may act in the round."""
        out = self.task.status().round
        return {i: one for i, one in self.miners.items() if out.active_miners & ~out.refuted & 1 << i}

    def active_trainers(self) -> dict[int, TaskActor]:
        """Those who are not struck out."""
        seats, limit = self.task.trainers(), self.task.terms["maxStrikes"]
        return {i: one for i, one in self.trainers.items() if seats[i].strikes < limit}

    def _opening(self, seat: int, contents: Mapping[int, Update] | None = None) -> UpdateOpening:
        values = self.update(seat)
        content = self.content((contents or {}).get(seat, values))
        samples = self.task.bid(Role.TRAINER, self.trainers[seat].sender.address)["samples"]
        return UpdateOpening(parameter_root(values), content.digest, samples, 1500, bytes([self.round_id, seat]) * 16)

    def _signed(self, actor: TaskActor, digest: bytes) -> SignedCommit:
        """By EIP-712 and EIP-2098."""
        domain = self.task.codec.result(
            "domainSeparator", self.world.connection.call(self.task.address, self.task.codec.call("domainSeparator"))
        )
        kind = keccak(text="Commit(uint16 round,bytes32 digest)")
        message = keccak(encode(["bytes32", "uint16", "bytes32"], [kind, self.round_id, digest]))
        (key,) = [one.key for one in self.world.accounts if one.address == actor.sender.address]
        signature = Account.unsafe_sign_hash(keccak(b"\x19\x01" + domain + message), key)
        vs = signature.s | (signature.v - 27) << 255
        return SignedCommit(digest, signature.r.to_bytes(32, "big"), vs.to_bytes(32, "big"))

    def _place(self, actor: TaskActor) -> Place:
        return self.task.place(self.round_id, 0, actor.sender.address)


def _nonce(header: bytes, difficulty: int) -> int:
    return next(n for n in range(10**6) if int.from_bytes(work_digest(header, n), "big") <= target(difficulty))
