"""The miner: checks updates, aggregates, seals, mines, opens (paper, section III-A, steps 3 to 5), and refutes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcfl_client.chain.digests import seal_digest
from bcfl_client.errors import ChainMismatch, ConfigError, ContractReverted
from bcfl_client.roles.answers import Answers
from bcfl_client.roles.blocks import BlockMaker, is_again, may_mine_again
from bcfl_client.roles.materials import build_task_model, fetch_materials
from bcfl_client.roles.results import Result
from bcfl_client.roles.round_work import Aggregate, RoundWork
from bcfl_client.roles.session import Session
from bcfl_client.roles.trust import is_trusted, miner_record
from bcfl_client.roles.watch import POLL_SECONDS, follow
from bcfl_client.roles.watchdog import Watchdog, disputable
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.types import Opening, Phase, Role, Status, bits, pack_verdicts

__all__ = ["Miner", "MinerSettings", "run_miner"]

_PATIENCE_SECONDS = 0.5
_CHECK_SHARE = 0.5  # of the window in which a miner waits for bytes before it calls them unavailable
_FAST_SHARE = 0.25  # of the seal window that is left to trusted miners


@dataclass(frozen=True)
class MinerSettings:
    """How this miner bids and scores: `fee` in wei per block, `model` as in `build_model`. With `watch` it refutes
    false results of others."""

    fee: int
    model: str = "2nn"
    watch: bool = True

    def __post_init__(self) -> None:
        if self.fee < 0:
            raise ConfigError("a fee is not negative")


def run_miner(session: Session, settings: MinerSettings, miner: Miner | None = None) -> None:
    """Works for the task until it is closed, then withdraws. Carries on where an earlier process stopped.

    `miner` is another kind of miner than the honest one. Raises InputError before any money moves when bid or model
    do not fit the task.
    """
    status = session.task.status()
    if status.state.closed and session.task.seat(Role.MINER, session.address) is None:
        raise ChainMismatch(f"the task {session.task.address} is {status.state.name.lower()} already")
    miner = miner or Miner(session, settings)
    miner.ensure_bid()
    follow(session, miner.act, _PATIENCE_SECONDS, miner.key)
    miner.watchdog.settle(session.task.status())
    session.withdraw()
    session.journal.close()


class Miner:
    """An honest miner on one task."""

    def __init__(self, session: Session, settings: MinerSettings) -> None:
        self.watchdog = Watchdog(session, self._describe)
        self._session = session
        self._settings = settings
        materials = fetch_materials(session.task, session.store)
        model = build_task_model(settings.model, materials)
        self._scorer = ValidationScorer(model, materials.validation.images, materials.validation.labels)
        self._clipping_norm = materials.manifest.hyperparameters.clipping_norm
        self._seat: int | None = None
        self._work: RoundWork | None = None
        self._answers: Answers | None = None
        self._watched: Hashable = None

    def ensure_bid(self) -> None:
        """Bids, unless there is a bid. Raises ChainMismatch when the task does not take it."""
        task = self._session.task
        if task.bid(Role.MINER, self._session.address)["deposit"]:
            return
        if task.status().phase != Phase.BIDDING:
            raise ChainMismatch(f"bidding for the task {task.address} is over, and this account has no bid in it")
        try:
            self._session.actor.bid_as_miner(self._settings.fee)
        except ContractReverted as error:
            raise ChainMismatch(f"the task does not take this bid: {error}") from error
        self._session.report("bid", {"fee": self._settings.fee})

    def key(self, status: Status) -> Hashable:
        """Changes when `act` is due."""
        r = status.round
        # Seals and fast blocks, too: a fast block that was drawn may be sealed over between two looks.
        return r.reveals, r.sealers, r.window_from, self.watchdog.key(status)

    def act(self, status: Status) -> bool:
        """Does what the phase asks for. True when there is nothing left to do: this bid was not selected."""
        if self._seat is None:
            self._seat = self._session.task.seat(Role.MINER, self._session.address)
            if self._seat is None:
                self._session.report("not selected", {})
                return True
        if status.phase == Phase.MINE:
            self._watch(status)  # a search may take long
        if status.round.active_miners >> self._seat & 1:
            self._work_on(status, self._seat)
        if status.phase != Phase.MINE:
            self._watch(status)
        return False

    def _work_on(self, status: Status, seat: int) -> None:
        if status.phase == Phase.REVEAL:
            self._round(status).updates.collect(status)
        elif status.phase == Phase.CHECK:
            self._check(status, seat)
        elif status.phase == Phase.SEAL:
            self._seal(status, seat)
        elif status.phase == Phase.MINE:
            self._mine(status, seat)
        elif status.phase == Phase.OPEN:
            self._open(status, seat)

    def _round(self, status: Status) -> RoundWork:
        if self._work is None or self._work.round_id != status.round.id:
            self._work = RoundWork.begin(self._session, self._scorer, self._clipping_norm, status, self._work)
        return self._work

    def _check(self, status: Status, seat: int) -> None:
        if status.round.checkers >> seat & 1:
            return
        work = self._round(status)
        patience = self._session.task.terms["checkWindow"] * _CHECK_SHARE
        deadline = time.monotonic() + patience
        while not work.updates.collect(status) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        verdicts = work.judge()
        self._session.actor.check(seat, pack_verdicts(verdicts))
        self._session.report("checked", {"round": work.round_id, "updates": len(verdicts)})
        if accepted := work.accepted():
            # Ahead of Seal: most often nobody disagrees.
            work.aggregate(accepted)
            work.scores(accepted)

    # ------------------------------------------------------------------ seal

    def _seal(self, status: Status, seat: int) -> None:
        if status.round.sealers >> seat & 1 or self._is_fast(status, seat):
            return
        opening = self._journalled(status) or self._compute(status)
        place = self._session.task.place(status.round.id, 0, self._session.address)
        self._session.actor.seal(seat, seal_digest(place, opening))
        self._session.report("sealed", {"round": status.round.id, "accuracy": opening.accuracy})

    def _is_fast(self, status: Status, seat: int) -> bool:
        """Whether the round has a fast block now: an own one, or one of another trusted miner after a while."""
        task = self._session.task
        theta, rewards = task.terms["fastBlocks"], task.terms["fastRewards"]
        if not theta or status.round.window_from:
            return False
        miners = task.miners()
        trusted = [
            one
            for one in bits(status.round.active_miners)
            if is_trusted(miner_record(task, miners[one].account), len(miners), theta, rewards)
        ]
        wait = task.terms["sealWindow"] * _FAST_SHARE
        if seat in trusted:
            opening = self._journalled(status) or self._compute(status)
            # What the round's inputs are is asked again: the first seal may have frozen them meanwhile.
            now = self._session.task.status()
            proposed = self._blocks(seat).propose_fast(now, opening, task.inputs(), lambda: self._publish(status), wait)
            return proposed or task.status().round.window_from != 0
        deadline = time.monotonic() + wait
        while trusted and time.monotonic() < deadline:
            now = task.status()
            if now.phase != Phase.SEAL or now.round.id != status.round.id or now.round.window_from:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _compute(self, status: Status) -> Opening:
        work = self._round(status)
        inputs = bits(self._session.task.inputs())
        work.updates.require(inputs, status, self._session.task.terms["sealWindow"] * _CHECK_SHARE)
        result = self._result(work, inputs)
        scores, salt = work.scores(inputs), secrets.token_bytes(32)
        opening = Opening(result.root, result.content_digest, result.accuracy, scores, salt)
        self._session.journal.save(f"aggregate-{status.round.id}.bin", result.data)
        self._session.journal.write(
            "seal",
            status.round.id,
            root=opening.root,
            content=opening.content_digest,
            accuracy=opening.accuracy,
            scores=list(opening.scores),
            salt=opening.salt,
        )
        return opening

    def _result(self, work: RoundWork, inputs: Sequence[int]) -> Aggregate:
        """What this miner says that the round's result is."""
        return work.aggregate(inputs)

    def _journalled(self, status: Status) -> Opening | None:
        entry = self._session.journal.find("seal", status.round.id)
        if entry is None:
            return None
        root, content, salt = (bytes.fromhex(entry[name]) for name in ("root", "content", "salt"))
        return Opening(root, content, entry["accuracy"], tuple(entry["scores"]), salt)

    # ------------------------------------------------------------------ mine and open

    def _mine(self, status: Status, seat: int) -> None:
        opening = self._journalled(status)
        if opening is None or not status.round.sealers >> seat & 1:
            return
        if is_again(status):
            if not may_mine_again(self._session, status, seat, Result(opening.root, opening.content_digest)):
                return
        elif status.round.proposers >> seat & 1:
            return
        self._publish(status)
        self._blocks(seat).propose(status, opening)

    def _open(self, status: Status, seat: int) -> None:
        opening = self._journalled(status)
        if opening is None or not status.round.sealers >> seat & 1 or status.round.openers >> seat & 1:
            return
        self._publish(status)
        medians, middle = self._expected_medians(status, seat, opening)
        self._session.actor.open(seat, opening, medians, middle)
        self._session.report("opened", {"round": status.round.id})
        # Two that open at the same moment each took the other for missing: one of them finalises now.
        if (now := self._session.task.status()).phase == Phase.FINALISE:
            self._session.advance(now)

    def _expected_medians(self, status: Status, seat: int, opening: Opening) -> tuple[tuple[int, ...], int]:
        """What finalises the round at once when this opening is the last one; empty when it cannot be."""
        last = bits(status.round.openers | 1 << seat) == bits(status.round.active_miners)
        if not last or self._session.task.terms["minWindow"]:
            return (), 0
        return self._session.medians(status, (seat, opening))

    def _blocks(self, seat: int) -> BlockMaker:
        return BlockMaker(self._session, seat, self._watch_if_due)

    def _publish(self, status: Status) -> None:
        """The aggregate's bytes; not before Seal has closed, so that nobody can seal without computing."""
        if self._session.journal.find("published", status.round.id) is None:
            self._session.store.put(self._session.journal.read(f"aggregate-{status.round.id}.bin"))
            self._session.journal.write("published", status.round.id)

    # ------------------------------------------------------------------ disputes

    def _describe(self, values: NDArray[np.int32]) -> Result:
        assert self._work is not None
        known = self._work.describe(values)
        return Result(known.root, known.content_digest)

    def _watch_if_due(self, status: Status) -> None:
        if self.watchdog.key(status) != self._watched:
            self._watch(status)

    def _watch(self, status: Status) -> None:
        """Answers for the own result, and refutes false ones of others."""
        self._watched = self.watchdog.key(status)
        if not disputable(status) or self._seat is None:
            return
        opening = self._journalled(status)
        if opening is not None:
            self._answers = self._answers or Answers(self._session, self._seat)
            self._answers.act(status, Result(opening.root, opening.content_digest))
        if self._settings.watch:
            self.watchdog.act(status, self._round(status).updates)
