"""A small task on a real chain, played act by act: honest unless a test says otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from eth_account.signers.local import LocalAccount
from numpy.typing import NDArray

from bcfl_client.aggregation import update_weight, weighted_mean
from bcfl_client.chain.connection import Connection
from bcfl_client.chain.contracts import Deployment, artifact
from bcfl_client.chain.digests import content_hash, header_digest, seal_digest, target, update_digest, work_digest
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import Task, TaskActor, read_logs
from bcfl_client.errors import ContractReverted
from bcfl_client.learning.encoding import encode_model, encode_parameters, tensor_shapes
from bcfl_client.learning.manifest import Hyperparameters, Manifest
from bcfl_client.learning.models import build_model
from bcfl_client.learning.tree import parameter_root
from bcfl_client.learning.validation import ValidationSet, encode_validation
from bcfl_client.scoring.medians import round_medians
from bcfl_client.scoring.validation_accuracy import Counted, ValidationScorer
from bcfl_client.storage import Content, DirectoryStore
from bcfl_client.types import Opening, Phase, Verdict, bits, pack_scores, pack_verdicts, unpack_scores

WINDOW = 1000  # seconds; far above what a test takes, so that phases end when the test says so
SHAPE, CLASSES, IMAGES = (2, 2), 3, 60
BASE: dict[str, Any] = {
    "aggregationRule": 0,
    "scoringRule": 0,
    "forkRule": 0,
    "rounds": 2,
    "trainerSlots": 4,
    "minerSlots": 3,
    "minTrainers": 2,
    "minMiners": 1,
    "minUpdates": 2,
    "maxVoidRounds": 1,
    "maxStrikes": 2,
    "minSamples": 10,
    "maxTrainingTime": 100,
    "closeWhenFull": False,
    "reward": 3_000_017,
    "maxPrice": 1000,
    "maxFee": 100_000,
    "trainerDeposit": 101,
    "minerDeposit": 40_001,
    "challengeBond": 10_000,
    "penalty": 500,
    "minerShare": 2000,
    "slashShare": 3333,
    "earlyBonus": 2000,
    "targetAccuracy": 0,
    "payScore": 0,
    "startQuality": 32_768,
    **dict.fromkeys(("biddingWindow", "commitWindow", "revealWindow", "checkWindow", "sealWindow"), WINDOW),
    **dict.fromkeys(("mineWindow", "openWindow"), WINDOW),
    "forkWindow": 0,
    "minWindow": 50,
    "challengeWindow": 500,
    "responseWindow": 100,
    "auditPeriod": 86_400,
    "difficulty": 4,
    "blockTime": 0,
}

Update = NDArray[np.int32]


@dataclass
class World:
    """A chain with the contracts on it."""

    connection: Connection
    accounts: list[LocalAccount]
    contracts: Deployment

    def sender(self, index: int) -> Sender:
        """Sends for the dev account `index`, with a fresh nonce."""
        return Sender(self.connection, self.accounts[index])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens on the chain inside is undone at the end."""
        snapshot = self.connection.request("evm_snapshot")
        yield
        assert self.connection.request("evm_revert", snapshot)

    def later(self, seconds: int) -> None:
        """Lets time pass."""
        self.connection.request("evm_increaseTime", seconds)
        self.connection.request("evm_mine")


@dataclass
class Stage:
    """One task, its publisher (dev account 1), trainers (from 2) and miners (from 10)."""

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
        tensors = tuple((one.name, one.shape) for one in tensor_shapes(model))
        self.manifest = Manifest(self.model, tensors, "test", SHAPE, CLASSES, Hyperparameters())
        self.base: Update = encode_model(model)
        self.scorer = ValidationScorer(model, self.validation.images, self.validation.labels)
        self.updates: dict[tuple[int, int], Update] = {}
        self.task = self._publish()
        self.trainers: dict[int, TaskActor] = {}  # by seat
        self.miners: dict[int, TaskActor] = {}

    def copy(self, folder: Path) -> Stage:
        """The same task at the same point, with a store and senders of its own."""
        twin = copy(self)
        shutil.copytree(self.store.url.removeprefix("dir:"), folder)
        twin.store, twin.updates = DirectoryStore(folder), dict(self.updates)
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
        newest = self.world.connection.request("eth_getBlockByNumber", "latest", False)
        self.world.later(status.deadline - int(newest["timestamp"], 16) + 1)
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

    def commit(self, but: Collection[int] = (), contents: Mapping[int, Update] | None = None) -> None:
        """All commit; the clock stands in for who does not. `contents` by seat stand for other bytes."""
        for seat, actor in self._active(self.trainers).items():
            if seat not in but:
                actor.commit(seat, update_digest(self._place(actor), *self._opening(seat, contents)))
        if self.task.status().phase == Phase.COMMIT:
            self.let_pass(Phase.COMMIT)

    def reveal(self, but: Collection[int] = (), contents: Mapping[int, Update] | None = None) -> None:
        """All who committed put their bytes into the store and reveal."""
        stored = self.task.trainers()
        for seat, actor in self.trainers.items():
            if stored[seat].round_id == self.round_id and seat not in but:
                self.store.put(encode_parameters(self.update(seat)))
                actor.reveal(seat, *self._opening(seat, contents))
        if self.task.status().phase == Phase.REVEAL:
            self.let_pass(Phase.REVEAL)

    def check(self, verdicts: Mapping[int, Mapping[int, Verdict]] | None = None, but: Collection[int] = ()) -> None:
        """All find all updates in order, except for `verdicts` by miner and trainer seat."""
        for seat, actor in self._active(self.miners).items():
            if seat not in but:
                said = dict.fromkeys(self.trainers, Verdict.OK) | dict((verdicts or {}).get(seat, {}))
                actor.check(seat, pack_verdicts(said))
        if self.task.status().phase == Phase.CHECK:
            self.let_pass(Phase.CHECK)

    def result(self, seat: int, **changes: Any) -> Opening:
        """What an honest miner seals, with `changes`; the aggregate's bytes go into the store."""
        inputs, trainers = bits(self.task.inputs()), self.task.trainers()
        weights = [update_weight(min(trainers[i].samples, trainers[i].cap), trainers[i].quality) for i in inputs]
        mean = weighted_mean([self.update(i) for i in inputs], weights)
        content = self.store.put(encode_parameters(mean))
        scores = pack_scores({i: self.scorer.count(self.update(i)).score for i in inputs}, len(trainers))
        accuracy = self.scorer.count(mean).accuracy_bps
        honest = Opening(parameter_root(mean), content.digest, accuracy, scores, bytes([seat]) * 32)
        return replace(honest, **changes)

    def mine(
        self,
        changes: Mapping[int, Mapping[str, Any]] | None = None,
        no_seal: Collection[int] = (),
        no_open: Collection[int] = (),
        proposers: Collection[int] = (0,),
    ) -> None:
        """Seal, mine and open; `changes` by miner seat to what an honest one would say."""
        active = self._active(self.miners)
        openings = {seat: self.result(seat, **dict((changes or {}).get(seat, {}))) for seat in active}
        for seat, actor in active.items():
            if seat not in no_seal:
                actor.seal(seat, seal_digest(self._place(actor), openings[seat]))
        if self.task.status().phase == Phase.SEAL:
            self.let_pass(Phase.SEAL)
        for seat in proposers:
            self.propose(seat, openings[seat])
        if self.task.status().phase == Phase.MINE:
            self.let_pass(Phase.MINE)
        for seat, actor in active.items():
            if seat not in {*no_seal, *no_open, *proposers} and self.task.status().phase == Phase.OPEN:
                actor.open(seat, openings[seat])
        if self.task.status().phase == Phase.OPEN:
            self.let_pass(Phase.OPEN)

    def propose(self, seat: int, opening: Opening) -> None:
        """A block with enough work."""
        status, place = self.task.status(), self._place(self.miners[seat])
        header = header_digest(place, status.head.block_hash, status.round.seals_digest, opening, status.difficulty)
        limit = target(status.difficulty)
        nonce = next(n for n in range(10**6) if int.from_bytes(work_digest(header, n), "big") <= limit)
        self.miners[seat].propose(seat, opening, nonce)

    def finalise(self) -> None:
        """The clock ends what is left; anybody finalises."""
        if self.task.status().phase == Phase.CHALLENGE:
            self.let_pass(Phase.CHALLENGE)
        status = self.task.status()
        opened: dict[tuple[bytes, bytes], list[tuple[int | None, list[int]]]] = {}
        miners, count = self.task.miners(), len(self.trainers)
        for event in self.task.round_events("Opened", status.round.id):
            args: Any = event.args
            said = unpack_scores(args["opening"]["scores"], count)
            result = (args["opening"]["root"], args["opening"]["contentId"])
            opened.setdefault(result, []).append((miners[args["seat"]].trainer_seat, said))
        votes = max(opened.values(), key=len, default=[])
        if votes:
            medians, middle = round_medians(votes, bits(self.task.inputs()))
            self.publisher.finalise(pack_scores(medians, count), middle)
        else:
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

    def _active(self, actors: Mapping[int, TaskActor]) -> dict[int, TaskActor]:
        seats = self.task.trainers() if actors is self.trainers else self.task.miners()
        return {i: actor for i, actor in actors.items() if seats[i].strikes < self.task.terms["maxStrikes"]}

    def _opening(self, seat: int, contents: Mapping[int, Update] | None = None) -> tuple[bytes, bytes, int, int, bytes]:
        values = self.update(seat)
        content = self.content((contents or {}).get(seat, values))
        samples = self.task.bid(0, self.trainers[seat].sender.address)["samples"]  # type: ignore[arg-type]
        return parameter_root(values), content.digest, samples, 1500, bytes([self.round_id, seat]) * 16

    def _place(self, actor: TaskActor) -> Any:
        return self.task.place(self.round_id, 0, actor.sender.address)
