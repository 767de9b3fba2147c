"""Participants that misbehave, for tests and demonstrations: what a task must withstand.

They are programs of their own, not honest ones with a switch: nothing here is needed to take part.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcfl_client.chain.digests import header_digest, seal_digest, seals_digest, update_digest
from bcfl_client.errors import ContractReverted
from bcfl_client.learning.encoding import encode_parameters
from bcfl_client.learning.training import LocalTrainer
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.materials import build_task_model, fetch_materials, fetch_parameters
from bcfl_client.roles.miner import Miner, MinerSettings
from bcfl_client.roles.mining import search_nonce
from bcfl_client.roles.round_work import Aggregate, RoundWork
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import follow
from bcfl_client.storage import Content
from bcfl_client.types import Opening, Phase, Role, Stage, Status, UpdateOpening

__all__ = [
    "CheatingTrainer",
    "LazyTrainer",
    "LiarMiner",
    "PoisoningTrainer",
    "SleepingTrainer",
    "ThiefMiner",
    "run_cheating_trainer",
    "run_outsider",
]

_PATIENCE_SECONDS = 5.0  # others make the heavy transitions
_EAGER_SECONDS = 0.02
_EAGER_PATIENCE_SECONDS = 3.0
_BLIND_GAS = 500_000  # of a copied transaction that is sent without being tried first
_Parameters = NDArray[np.int32]


# ---------------------------------------------------------------------- trainers


class CheatingTrainer:
    """Bids, commits and reveals in the right form; `_update` decides what. Keeps nothing for a restart.

    `samples` is what it says that it has: nobody can prove otherwise.
    """

    def __init__(self, session: Session, price: int, samples: int, training_time: int = 1000, seed: int = 0) -> None:
        self._session = session
        self._bid = samples, price, training_time
        self._random = np.random.default_rng(seed)
        self._opening: UpdateOpening | None = None
        self._data = b""

    def bid(self) -> None:
        """Offers what it does not mean to give."""
        self._session.actor.bid_as_trainer(*self._bid)
        self._session.report("bid", {"samples": self._bid[0], "price": self._bid[1]})

    def act(self, status: Status) -> bool:
        """Does what the phase asks for, in form. True when there is nothing left to do: this bid was not selected."""
        session = self._session
        seat = session.task.seat(Role.TRAINER, session.address)
        if seat is None:
            return True
        own = session.task.trainer(seat)
        if own.strikes >= session.task.terms["maxStrikes"]:
            return False  # what is left of the deposit comes back at the end
        if status.phase == Phase.COMMIT and own.round_id != status.round.id:
            self._commit(status)
        elif status.phase == Phase.REVEAL and own.round_id == status.round.id and own.stage == Stage.COMMITTED:
            self._reveal(status)
        return False

    def _commit(self, status: Status) -> None:
        session, round_id = self._session, status.round.id
        values = self._update(status, self._model(status))
        self._data = encode_parameters(values)
        root, content = parameter_root(values), Content.of(self._data).digest
        self._opening = UpdateOpening(root, content, self._bid[0], 1000, secrets.token_bytes(32))
        session.actor.commit(update_digest(session.task.place(round_id, 0, session.address), self._opening))
        session.report("committed", {"round": round_id})

    def _reveal(self, status: Status) -> None:
        assert self._opening is not None
        self._session.store.put(self._data)
        self._session.actor.reveal(self._opening)
        self._session.report("revealed", {"round": status.round.id})

    def _model(self, status: Status) -> _Parameters:
        """The global model."""
        head, count = status.head, self._session.task.terms["parameterCount"]
        return fetch_parameters(self._session.store, head.content_digest, head.root, count)

    def _update(self, status: Status, model: _Parameters) -> _Parameters:
        """The update to commit to, int32 [count]; this one returns the global model."""
        return model


class LazyTrainer(CheatingTrainer):
    """Does not train: hands in somebody's update of the round before, else the global model, under a little noise."""

    def _update(self, status: Status, model: _Parameters) -> _Parameters:
        source = self._earlier(status.round.id - 1)
        if source is None:
            source = model
        step = float(np.std(source.astype(np.float64) - model)) or float(np.std(model.astype(np.float64)))
        noise = self._random.normal(0, 0.02 * step, len(source))
        return _to_int32(source + noise)

    def _earlier(self, round_id: int) -> _Parameters | None:
        """The largest update of somebody else in that round."""
        session = self._session
        seat, count = session.task.seat(Role.TRAINER, session.address), session.task.terms["parameterCount"]
        others: list[dict[str, Any]] = [event.args for event in session.task.round_events("Revealed", round_id)]
        others = [args for args in others if args["seat"] != seat]
        if not others:
            return None
        best = max(others, key=lambda args: int(args["samples"]))
        return fetch_parameters(session.store, best["contentId"], best["root"], count)


class PoisoningTrainer(CheatingTrainer):
    """Trains on its data and hands in the opposite of what it learnt, `factor` times as far."""

    def __init__(
        self,
        session: Session,
        price: int,
        model: str,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        seed: int = 0,
        factor: float = 3.0,
    ) -> None:
        super().__init__(session, price, len(labels), seed=seed)
        materials = fetch_materials(session.task, session.store)
        built = build_task_model(model, materials)
        self._local = LocalTrainer(built, images, labels, materials.manifest.hyperparameters, seed)
        self._factor = factor

    def _update(self, status: Status, model: _Parameters) -> _Parameters:
        learnt = self._local.train(model, status.round.id - 1).astype(np.float64) - model
        return _to_int32(model - self._factor * learnt)


class SleepingTrainer(CheatingTrainer):
    """Commits and never reveals."""

    def _reveal(self, status: Status) -> None:
        self._session.report("sleeps", {"round": status.round.id})


def run_cheating_trainer(session: Session, trainer: CheatingTrainer) -> None:
    """Works against the task until it is closed, then withdraws what is left."""
    trainer.bid()
    follow(session, trainer.act, _PATIENCE_SECONDS)
    _leave(session)


# ---------------------------------------------------------------------- miners


class LiarMiner(Miner):
    """Adds one unit to one coordinate of the aggregate, from round `first_round` on; liars with the same `coordinate`
    agree with each other.

    With `withhold` the bytes of its result are nowhere to be had; with `silent` it does not answer questions about
    them either; an `eager` one seals last and mines before it does, so as to propose first. It refutes nobody.
    """

    def __init__(
        self,
        session: Session,
        settings: MinerSettings,
        coordinate: int = 0,
        withhold: bool = False,
        silent: bool = False,
        first_round: int = 1,
        eager: bool = False,
    ) -> None:
        super().__init__(session, MinerSettings(settings.fee, settings.model, watch=False))
        self._coordinate = coordinate
        self._withhold = withhold
        self._silent = silent
        self._first_round = first_round
        self._eager = eager

    def _result(self, work: RoundWork, inputs: Sequence[int]) -> Aggregate:
        if work.round_id < self._first_round:
            return super()._result(work, inputs)
        values = work.updates.aggregate(inputs).copy()
        values[self._coordinate] += 1
        return work.describe(values)

    def _seal(self, status: Status, seat: int) -> None:
        if not self._eager or status.round.sealers >> seat & 1 or status.round.id < self._first_round:
            super()._seal(status, seat)
            return
        session, others = self._session, status.round.active_miners & ~(1 << seat)
        opening = self._journalled(status) or self._compute(status)
        deadline = time.monotonic() + _EAGER_PATIENCE_SECONDS
        _wait(session, status, lambda now: now.round.sealers == others or time.monotonic() >= deadline, _EAGER_SECONDS)
        # Whoever seals last knows what the digest of all seals will be.
        now, place = session.task.status(), session.task.place(status.round.id, 0, session.address)
        seal = seal_digest(place, opening)
        seals = seals_digest(now.seals_digest, seat, seal)
        header = header_digest(place, now.head.block_hash, seals, opening, now.difficulty)
        nonce, hashes = search_nonce(header, now.difficulty, lambda: False)
        self._publish(status)
        session.actor.seal(seat, seal)
        session.report("sealed", {"round": status.round.id, "accuracy": opening.accuracy})
        session.actor.propose(seat, opening, nonce or 0)
        session.report("proposed", {"round": status.round.id, "hashes": hashes})

    def _publish(self, status: Status) -> None:
        if not self._withhold:
            super()._publish(status)

    def _watch(self, status: Status) -> None:
        if not self._silent:
            super()._watch(status)


class ThiefMiner(Miner):
    """Computes nothing. Posts the verdicts and the seal that it finds on the chain, and tries to pass another miner's
    block and opening off as its own."""

    def __init__(self, session: Session, settings: MinerSettings) -> None:
        super().__init__(session, MinerSettings(settings.fee, settings.model, watch=False))
        self._tried: set[Hashable] = set()

    def _work_on(self, status: Status, seat: int) -> None:
        if status.phase != Phase.REVEAL:  # what the updates are does not matter to it
            super()._work_on(status, seat)

    def _check(self, status: Status, seat: int) -> None:
        seen = self._copied("Checked", status, seat)
        if not status.round.checkers >> seat & 1 and seen is not None:
            self._session.actor.check(seat, seen["verdicts"])

    def _seal(self, status: Status, seat: int) -> None:
        if status.round.sealers >> seat & 1:
            return
        seen = self._copied("Sealed", status, seat)
        self._session.actor.seal(seat, secrets.token_bytes(32) if seen is None else seen["digest"])

    def _mine(self, status: Status, seat: int) -> None:
        self._steal(status, seat)

    def _open(self, status: Status, seat: int) -> None:
        self._steal(status, seat)

    def _watch(self, status: Status) -> None:
        pass

    def _steal(self, status: Status, seat: int) -> None:
        """Every opened result, as an opening of its own, in the seat of its owner, and as a block."""
        round_id, actor = status.round.id, self._session.actor
        nonces = {event.args["seat"]: event.args["nonce"] for event in self._others("Proposed", round_id, seat)}
        for event in self._others("Opened", round_id, seat):
            args: Any = event.args
            fields = args["opening"]
            opening = Opening(
                fields["root"], fields["contentId"], fields["accuracy"], tuple(fields["scores"]), fields["salt"]
            )
            owner, nonce = int(args["seat"]), int(str(nonces.get(args["seat"], 0)))
            self._try(status, ("another miner's nonce", owner), partial(actor.propose, seat, opening, nonce))
            self._try(status, ("another miner's result", owner), partial(actor.open, seat, opening))
            self._try(status, ("another miner's seat", owner), partial(actor.open, owner, opening))

    def _try(self, status: Status, what: tuple[str, int], act: Callable[[], object]) -> None:
        """Once per round and phase, whatever comes of it."""
        done = status.round.id, status.phase, *what
        if done in self._tried:
            return
        self._tried.add(done)
        facts: dict[str, object] = {"round": status.round.id, "what": what[0]}
        try:
            act()
        except ContractReverted as error:
            self._session.report("refused", {**facts, "reason": error.name})
        else:
            self._session.report("got away with", facts)

    def _copied(self, name: str, status: Status, seat: int) -> dict[str, Any] | None:
        """Arguments of somebody's event, waited for as long as the phase lasts."""
        _wait(self._session, status, lambda now: bool(self._others(name, status.round.id, seat)), 0.1)
        found = self._others(name, status.round.id, seat)
        return dict(found[0].args) if found else None

    def _others(self, name: str, round_id: int, seat: int) -> list[Any]:
        return [event for event in self._session.task.round_events(name, round_id) if event.args["seat"] != seat]


# ---------------------------------------------------------------------- outsiders


def run_outsider(session: Session) -> None:
    """Without a bid: sends a copy of others' transactions under its own name, one of each kind and round, without
    trying them first, as who hurries to be in a block before the original. Until the task is closed."""
    outsider = _Outsider(session)
    follow(session, outsider.act, float("inf"), outsider.key)
    outsider.reclaim()
    _leave(session)


class _Outsider:
    _WANTED = ("Committed", "Revealed", "Checked", "Sealed", "Proposed", "Opened", "ChallengeCommitted", "Refuted")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._copied: set[object] = set()

    def key(self, status: Status) -> Hashable:
        """Changes when there may be something to copy."""
        now = status.round
        return now.commits > 0, now.reveals > 0, now.checkers, now.sealers, now.openers, now.last_dispute

    def act(self, status: Status) -> bool:
        """Copies what is new."""
        for name in self._WANTED:
            if (name, status.round.id) not in self._copied:
                events = self._session.task.round_events(name, status.round.id)
                if events:
                    self._copied.add((name, status.round.id))
                    self._copy(status.round.id, events[0].transaction)
        return False

    def reclaim(self) -> None:
        """Takes back the bonds that it posted on copied claims, as far as somebody else has refuted the result."""
        session = self._session
        for event in session.task.events():
            if event.name == "ChallengeCommitted" and event.args["challenger"] == session.address:
                claim = event.args["claim"]
                assert isinstance(claim, bytes)
                with contextlib.suppress(ContractReverted):
                    session.actor.reclaim(claim)

    def _copy(self, round_id: int, digest: str) -> None:
        if digest in self._copied:
            return
        self._copied.add(digest)
        session = self._session
        sent = session.task.connection.request("eth_getTransactionByHash", digest)
        data, value = bytes.fromhex(sent["input"][2:]), int(sent["value"], 16)
        sender, task = session.actor.sender, session.task
        facts: dict[str, object] = {"round": round_id, "what": f"a copied {task.codec.function(data)}"}
        try:
            copy = sender.send(task.address, data, value, task.codec, gas=_BLIND_GAS)
            sender.wait(copy, codec=task.codec)
        except ContractReverted as error:
            session.report("refused", {**facts, "reason": error.name})
        else:
            session.report("got away with", facts)


# ---------------------------------------------------------------------- shared


def _to_int32(values: NDArray[np.float64]) -> _Parameters:
    limits = np.iinfo(np.int32)
    return np.clip(np.rint(values), limits.min, limits.max).astype(np.int32)


def _wait(session: Session, status: Status, done: Callable[[Status], bool], seconds: float) -> None:
    """Looks every `seconds`, until it is done or the phase is over."""
    now = status
    while (now.phase, now.round.id) == (status.phase, status.round.id) and not done(now):
        time.sleep(seconds)
        now = session.task.status()


def _leave(session: Session) -> None:
    session.withdraw()
    session.journal.close()
