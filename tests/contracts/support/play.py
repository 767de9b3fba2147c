"""A task and its people: one step at a time, or an honest round up to some phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import chain, digests, scoring
from .digests import Opening
from .kinds import Phase, Stage
from .said import Said

FAST_VOTES = 8  # one fast block in so many is voted on
Results = Mapping[int, Opening]  # by miner seat: who says something else than the honest


class Play:
    """Drives `task`; `trainers` and `miners` are accounts by seat. Without seats a step is taken by all who can."""

    def __init__(self, task: Any, terms: dict[str, Any], publisher: Any, trainers: list, miners: list) -> None:
        self.task = task
        self.terms = terms
        self.publisher = publisher
        self.trainers = trainers
        self.miners = miners

    # ------------------------------------------------------------------ look

    @property
    def phase(self) -> Phase:
        return Phase(chain.look(self.task.phase))

    @property
    def status(self) -> Any:
        return chain.look(self.task.status)

    @property
    def round(self) -> Any:
        return self.status["round"]

    @property
    def said(self) -> Said:
        """What the honest say in the running round."""
        return Said(
            chain.chain_id(),
            self.task.address,
            self.round["id"],
            self.trainers,
            self.miners,
            self.terms["parameterCount"],
        )

    def work(self, seat: int, opening: Opening, *, enough: bool = True) -> tuple[int, bytes]:
        """A nonce for a proposal from `seat`, and its block hash."""
        return digests.mine(self.header(seat, opening), self.status["difficulty"], enough=enough)

    def header(self, seat: int, opening: Opening) -> bytes:
        """What a proposal from `seat` is bound to now."""
        status = self.status
        return digests.header(
            self.said.place(self.miners[seat], status["attempt"]),
            bytes(status["head"]["blockHash"]),
            bytes(status["sealsDigest"]),
            opening,
            status["difficulty"],
        )

    def fast_work(self, seat: int, opening: Opening, *, enough: bool = True) -> tuple[int, bytes]:
        """The same for a block without seals."""
        return digests.mine(self.fast_header(seat, opening), self.status["difficulty"], enough=enough)

    def fast_header(self, seat: int, opening: Opening) -> bytes:
        status = self.status
        return digests.fast_header(
            self.said.place(self.miners[seat]),
            bytes(status["head"]["blockHash"]),
            chain.look(self.task.inputs),
            opening,
            status["difficulty"],
        )

    def medians(self) -> tuple[list[int], int]:
        """What `finalise` wants to hear, from what is open now."""
        current = self.round
        refuted = {bytes(chain.look(self.task.miner, seat)["result"]) for seat in scoring.seats(current["refuted"])}
        opened = [chain.look(self.task.miner, seat) for seat in scoring.seats(current["openers"])]
        results = sorted({bytes(miner["result"]) for miner in opened} - refuted)
        truth = max(results, key=[bytes(miner["result"]) for miner in opened].count)  # on a tie the lowest
        count = len(self.trainers)
        votes = [
            scoring.Vote(digests.unpack(miner["scores"], count), miner["trainerSeat"] - 1)
            for miner in opened
            if bytes(miner["result"]) == truth
        ]
        lanes, middle = scoring.medians(votes, scoring.seats(chain.look(self.task.inputs)), count)
        return digests.pack(lanes), middle

    # ------------------------------------------------------------------ steps

    def bid_as_trainer(self, who: Any, samples: int, price: int, time: int = 100) -> None:
        deposit = samples * self.terms["trainerDeposit"]
        chain.send(who, self.task.bidAsTrainer, samples, price, time, value=deposit)

    def bid_as_miner(self, who: Any, fee: int) -> None:
        chain.send(who, self.task.bidAsMiner, fee, value=self.terms["minerDeposit"])

    def bid_all(self) -> None:
        """Seat s asks (s + 1) x 100 wei for (s + 1) x 100 samples, or (s + 1) x 10,000 wei per block."""
        for seat, who in enumerate(self.trainers):
            self.bid_as_trainer(who, (seat + 1) * 100, (seat + 1) * 100)
        for seat, who in enumerate(self.miners):
            self.bid_as_miner(who, (seat + 1) * 10_000)

    def select(self) -> None:
        chain.send(self.publisher, self.task.select)

    def commit(self, *seats: int) -> None:
        said = self.said
        for seat in seats or self._active_trainers():
            chain.send(self.trainers[seat], self.task.commit, said.commitment(seat))

    def reveal(self, *seats: int) -> None:
        said = self.said
        for seat in seats or self._committed():
            chain.send(self.trainers[seat], self.task.reveal, *said.update(seat).values())

    def check(self, *seats: int, verdicts: int | None = None) -> None:
        word = self.said.verdicts() if verdicts is None else verdicts
        for seat in seats or self._active_miners():
            chain.send(self.miners[seat], self.task.check, seat, word)

    def seal(self, *seats: int, results: Results | None = None) -> None:
        said = self.said
        for seat in seats or self._active_miners():
            opening = _result(said, seat, results)
            chain.send(self.miners[seat], self.task.seal, seat, said.seal(seat, opening))

    def propose(self, seat: int = 0, results: Results | None = None) -> None:
        opening = _result(self.said, seat, results)
        nonce, _ = self.work(seat, opening)
        chain.send(self.miners[seat], self.task.propose, seat, opening.values(), nonce)

    def propose_fast(self, seat: int = 0, results: Results | None = None, *, drawn: bool = False) -> None:
        """Tries until the hash of the chain's block draws the proposal to be voted on, or does not."""
        opening = _result(self.said, seat, results)
        nonce, _ = self.fast_work(seat, opening)
        chain.retry(
            lambda: chain.send(self.miners[seat], self.task.proposeFast, seat, opening.values(), nonce),
            lambda: (chain.newest_hash() % FAST_VOTES == 0) is drawn,
        )
        chain.mine()

    def open(self, *seats: int, results: Results | None = None) -> None:
        """Opens without finalising."""
        said, current = self.said, self.round
        for seat in seats or sorted(scoring.seats(current["sealers"] & ~current["openers"])):
            opening = _result(said, seat, results)
            chain.send(self.miners[seat], self.task.open, seat, opening.values(), [], 0)

    def finalise(self) -> None:
        chain.send(self.publisher, self.task.finalise, *self.medians())

    def finalise_unscored(self) -> None:
        """Ends a void round, or one with a fast block."""
        chain.send(self.publisher, self.task.finalise, [], 0)

    # ------------------------------------------------------------------ runs

    def let_pass(self, *phases: Phase) -> None:
        """Lets the clock end these phases, one after the other."""
        for phase in phases:
            assert self.phase == phase
            chain.mine_at(self.status["deadline"])

    def until(self, goal: Phase) -> Play:
        """Plays honestly until `goal` is reached."""
        steps = {
            Phase.BIDDING: lambda: (self.bid_all(), self.let_pass(Phase.BIDDING)),
            Phase.SELECT: self.select,
            Phase.COMMIT: self.commit,
            Phase.REVEAL: self.reveal,
            Phase.CHECK: self.check,
            Phase.SEAL: self.seal,
            Phase.MINE: self.propose,
            Phase.OPEN: self.open,
            Phase.CHALLENGE: lambda: self.let_pass(Phase.CHALLENGE),
            Phase.FINALISE: self.finalise,
        }
        while (phase := self.phase) != goal:
            steps[phase]()
        return self

    def play_round(self) -> None:
        """One honest round, finalised."""
        self.until(Phase.FINALISE).finalise()

    # ------------------------------------------------------------------ who

    def _active_trainers(self) -> list[int]:
        limit = self.terms["maxStrikes"]
        return [seat for seat in range(len(self.trainers)) if chain.look(self.task.trainer, seat)["strikes"] < limit]

    def _committed(self) -> list[int]:
        now = (self.round["id"], Stage.COMMITTED)
        found = [chain.look(self.task.trainer, seat) for seat in range(len(self.trainers))]
        return [seat for seat, trainer in enumerate(found) if (trainer["round"], trainer["stage"]) == now]

    def _active_miners(self) -> list[int]:
        return sorted(scoring.seats(self.round["activeMiners"]))


def _result(said: Said, seat: int, results: Results | None) -> Opening:
    return results[seat] if results and seat in results else said.opening(seat)
