"""The miner: checks updates, aggregates, seals, mines, opens (paper, section III-A, steps 3 to 5)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from bcfl_client.chain.digests import header_digest, seal_digest
from bcfl_client.errors import ChainMismatch, ConfigError, ContractReverted
from bcfl_client.roles.materials import build_task_model, fetch_materials
from bcfl_client.roles.mining import search_nonce
from bcfl_client.roles.round_work import RoundWork
from bcfl_client.roles.session import Session
from bcfl_client.roles.watch import POLL_SECONDS, follow
from bcfl_client.scoring.validation_accuracy import ValidationScorer
from bcfl_client.types import Opening, Phase, Role, Status, bits, pack_verdicts

__all__ = ["MinerSettings", "run_miner"]

_PATIENCE_SECONDS = 0.5
_CHECK_SHARE = 0.5  # of the window in which a miner waits for bytes before it calls them unavailable


@dataclass(frozen=True)
class MinerSettings:
    """How this miner bids and scores: `fee` in wei per block, `model` as in `build_model`."""

    fee: int
    model: str = "2nn"

    def __post_init__(self) -> None:
        if self.fee < 0:
            raise ConfigError("a fee is not negative")


def run_miner(session: Session, settings: MinerSettings) -> None:
    """Works for the task until it is closed, then withdraws. Carries on where an earlier process stopped.

    Raises InputError before any money moves when bid or model do not fit the task.
    """
    status = session.task.status()
    if status.state.closed and session.task.seat(Role.MINER, session.address) is None:
        raise ChainMismatch(f"the task {session.task.address} is {status.state.name.lower()} already")
    miner = _Miner(session, settings)
    miner.ensure_bid()
    follow(session, miner.act, _PATIENCE_SECONDS, lambda status: status.round.reveals)
    session.withdraw()
    session.journal.close()


class _Miner:
    def __init__(self, session: Session, settings: MinerSettings) -> None:
        self._session = session
        self._settings = settings
        materials = fetch_materials(session.task, session.store)
        model = build_task_model(settings.model, materials)
        self._scorer = ValidationScorer(model, materials.validation.images, materials.validation.labels)
        self._seat: int | None = None
        self._work: RoundWork | None = None

    def ensure_bid(self) -> None:
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

    def act(self, status: Status) -> bool:
        """Does what the phase asks for. True when there is nothing left to do: this bid was not selected."""
        if self._seat is None:
            self._seat = self._session.task.seat(Role.MINER, self._session.address)
            if self._seat is None:
                self._session.report("not selected", {})
                return True
        if not status.round.active_miners >> self._seat & 1:
            return False
        if status.phase == Phase.REVEAL:
            self._round(status).collect(status)
        elif status.phase == Phase.CHECK:
            self._check(status, self._seat)
        elif status.phase == Phase.SEAL:
            self._seal(status, self._seat)
        elif status.phase == Phase.MINE:
            self._mine(status, self._seat)
        elif status.phase == Phase.OPEN:
            self._open(status, self._seat)
        return False

    def _round(self, status: Status) -> RoundWork:
        if self._work is None or self._work.round_id != status.round.id:
            self._work = RoundWork.begin(self._session, self._scorer, status, self._work)
        return self._work

    def _check(self, status: Status, seat: int) -> None:
        if status.round.checkers >> seat & 1:
            return
        work = self._round(status)
        patience = self._session.task.terms["checkWindow"] * _CHECK_SHARE
        deadline = time.monotonic() + patience
        while not work.collect(status) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        verdicts = work.judge()
        self._session.actor.check(seat, pack_verdicts(verdicts))
        self._session.report("checked", {"round": work.round_id, "updates": len(verdicts)})
        work.aggregate(work.accepted(), status)  # ahead of Seal: most often nobody disagrees

    def _seal(self, status: Status, seat: int) -> None:
        if status.round.sealers >> seat & 1:
            return
        opening = self._journalled(status) or self._compute(status)
        place = self._session.task.place(status.round.id, 0, self._session.address)
        self._session.actor.seal(seat, seal_digest(place, opening))
        self._session.report("sealed", {"round": status.round.id, "accuracy": opening.accuracy})

    def _compute(self, status: Status) -> Opening:
        work = self._round(status)
        inputs = bits(self._session.task.inputs())
        work.require(inputs, status, self._session.task.terms["sealWindow"] * _CHECK_SHARE)
        result = work.aggregate(inputs, status)
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

    def _journalled(self, status: Status) -> Opening | None:
        entry = self._session.journal.find("seal", status.round.id)
        if entry is None:
            return None
        root, content, salt = (bytes.fromhex(entry[name]) for name in ("root", "content", "salt"))
        return Opening(root, content, entry["accuracy"], tuple(entry["scores"]), salt)

    def _mine(self, status: Status, seat: int) -> None:
        opening = self._journalled(status)
        if opening is None or not status.round.sealers >> seat & 1 or status.round.proposers >> seat & 1:
            return
        self._publish(status)
        session, latest = self._session, status
        place = session.task.place(status.round.id, status.attempt, session.address)
        header = header_digest(place, status.head.block_hash, status.round.seals_digest, opening, status.difficulty)
        last_look = start = time.monotonic()

        def stop() -> bool:
            nonlocal last_look, latest
            if time.monotonic() - last_look >= POLL_SECONDS:
                latest, last_look = session.task.status(), time.monotonic()
            # Somebody else's block ends the search, unless the task leaves time for forks (paper, step 4).
            return latest.phase != Phase.MINE or latest.round.id != status.round.id or latest.round.proposers != 0

        nonce, tried = search_nonce(header, status.difficulty, stop)
        if nonce is None:
            return
        try:
            session.actor.propose(seat, opening, nonce)
        except ContractReverted as error:
            if error.name != "LearningTask_WrongPhase":
                raise
            session.report("outrun by another block", {"round": status.round.id, "hashes": tried})
            return
        session.report(
            "proposed", {"round": status.round.id, "hashes": tried, "seconds": round(time.monotonic() - start, 3)}
        )

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
        if bits(status.round.openers | 1 << seat) != bits(status.round.active_miners):
            return (), 0
        return self._session.medians(status, (seat, opening))

    def _publish(self, status: Status) -> None:
        """The aggregate's bytes; not before Seal has closed, so that nobody can seal without computing."""
        if self._session.journal.find("published", status.round.id) is None:
            self._session.store.put(self._session.journal.read(f"aggregate-{status.round.id}.bin"))
            self._session.journal.write("published", status.round.id)
