"""A task and its people: one step at a time, or an honest round up to some phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eth_hash.auto import keccak

from . import chain, digests, scoring
from .digests import Opening, Place, Update
from .kinds import Phase, Stage, Verdict


Results = Mapping[int, Opening]  # by miner seat: who says something else than the honest


class Play:
    """Drives `task`; `trainers` and `miners` are accounts by seat. All values are made up from round and seat, so
    that nothing is remembered here that a rollback of the chain would not know of."""

    def __init__(self, task: Any, terms: dict[str, Any], publisher: Any, trainers: list, miners: list) -> None:
        self.task = task
        self.terms = terms
        self.publisher = publisher
        self.trainers = trainers
        self.miners = miners

    # ------------------------------------------------------------------ look

    @property
    def phase(self) -> Phase:
        return Phase(self.task.phase())

    @property
    def status(self) -> Any:
        return self.task.status()

    @property
    def round(self) -> Any:
        return self.task.status()["round"]

    def place(self, sender: Any) -> Place:
        return Place(chain.chain_id(), self.task.address, self.round["id"], 0, str(sender))

    # ------------------------------------------------------------------ bidding

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

    # ------------------------------------------------------------------ values

    def update(self, seat: int) -> Update:
        """The update of a trainer: 100 samples more per seat, as bid."""
        number = self.round["id"]
        tag = f"update {number} {seat}".encode()
        return Update(keccak(tag), keccak(tag + b" content"), (seat + 1) * 100, 1500, keccak(tag + b" salt"))

    def commitment(self, seat: int) -> bytes:
        return digests.update(self.place(self.trainers[seat]), self.update(seat))

    def opening(self, seat: int, **changes: Any) -> Opening:
        """A miner's result: the same model for all, scores and accuracy that differ a little."""
        tag = f"aggregate {self.round['id']}".encode()
        scores = tuple(40_000 + 100 * trainer + seat for trainer in range(self.task.trainerCount()))
        honest = Opening(keccak(tag), keccak(tag + b" content"), 8000 + seat, scores, keccak(tag + bytes([seat])))
        return replace(honest, **changes)

    def work(self, seat: int, opening: Opening, *, enough: bool = True) -> tuple[int, bytes]:
        """A nonce and its block hash."""
        status = self.status
        header = digests.header(
            self.place(self.miners[seat]),
            bytes(status["head"]["blockHash"]),
            bytes(status["round"]["sealsDigest"]),
            opening,
            status["difficulty"],
        )
        return digests.mine(header, status["difficulty"], enough=enough)

    def verdicts(self, but: Mapping[int, Verdict] | None = None) -> int:
        """All updates are fine, but for those given by trainer seat."""
        said = {seat: Verdict.OK for seat in range(len(self.trainers))} | dict(but or {})
        return sum(verdict << (2 * seat) for seat, verdict in said.items())

    def medians(self) -> tuple[list[int], int]:
        """What `finalise` wants to hear, from what is open now."""
        opened = [self.task.miner(seat) for seat in scoring.seats(self.round["openers"])]
        results = [miner["result"] for miner in opened]
        truth = max(results, key=results.count)
        count = self.task.trainerCount()
        votes = [
            scoring.Vote(_lanes(miner["scores"], count), miner["trainerSeat"] - 1 if miner["trainerSeat"] else None)
            for miner in opened
            if miner["result"] == truth
        ]
        lanes, middle = scoring.medians(votes, scoring.seats(self.task.inputs()), count)
        return digests.pack(lanes), middle

    # ------------------------------------------------------------------ steps

    def commit(self, *seats: int) -> None:
        for seat in seats or self._active_trainers():
            chain.send(self.trainers[seat], self.task.commit, seat, self.commitment(seat))

    def reveal(self, *seats: int) -> None:
        for seat in seats or self._trainers_at(Stage.COMMITTED):
            chain.send(self.trainers[seat], self.task.reveal, seat, *self.update(seat).values())

    def check(self, *seats: int, verdicts: int | None = None) -> None:
        for seat in seats or self._active_miners():
            said = self.verdicts() if verdicts is None else verdicts
            chain.send(self.miners[seat], self.task.check, seat, said)

    def seal(self, *seats: int, results: Results | None = None) -> None:
        for seat in seats or self._active_miners():
            opening = self._result(seat, results)
            chain.send(self.miners[seat], self.task.seal, seat, digests.seal(self.place(self.miners[seat]), opening))

    def propose(self, seat: int = 0, results: Results | None = None) -> None:
        opening = self._result(seat, results)
        nonce, _ = self.work(seat, opening)
        chain.send(self.miners[seat], self.task.propose, seat, opening.values(), nonce)

    def open(self, *seats: int, results: Results | None = None) -> None:
        """Opens without finalising."""
        current = self.round
        for seat in seats or sorted(scoring.seats(current["sealers"] & ~current["openers"])):
            opening = self._result(seat, results)
            chain.send(self.miners[seat], self.task.open, seat, opening.values(), [], 0)

    def finalise(self) -> None:
        chain.send(self.publisher, self.task.finalise, *self.medians())

    def finalise_void(self) -> None:
        chain.send(self.publisher, self.task.finalise, [], 0)

    # ------------------------------------------------------------------ runs

    def let_pass(self, *phases: Phase) -> None:
        """Lets the clock end these phases, one after the other."""
        for phase in phases:
            assert self.phase == phase
            chain.mine_at(self.status["deadline"])

    def until(self, goal: Phase) -> Play:
        """Plays honestly until `goal` is reached; the first round if the task is still in Bidding."""
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
        while self.phase != goal:
            steps[self.phase]()
        return self

    def play_round(self) -> None:
        """One honest round, finalised."""
        self.until(Phase.FINALISE).finalise()

    # ------------------------------------------------------------------ who

    def _result(self, seat: int, results: Results | None) -> Opening:
        return results[seat] if results and seat in results else self.opening(seat)

    def _active_trainers(self) -> list[int]:
        limit = self.terms["maxStrikes"]
        return [seat for seat in range(len(self.trainers)) if self.task.trainer(seat)["strikes"] < limit]

    def _trainers_at(self, stage: Stage) -> list[int]:
        found = [self.task.trainer(seat) for seat in range(len(self.trainers))]
        return [seat for seat, it in enumerate(found) if (it["round"], it["stage"]) == (self.round["id"], stage)]

    def _active_miners(self) -> list[int]:
        return sorted(scoring.seats(self.round["activeMiners"]))


def _lanes(words: tuple[int, ...], count: int) -> tuple[int, ...]:
    return tuple(words[seat // 16] >> (16 * (seat % 16)) & 0xFFFF for seat in range(count))
