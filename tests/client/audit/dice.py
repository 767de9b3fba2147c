"""Rounds by dice: everybody may fail, disagree, lie, object to what is right, and mine again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from bcfl_client.audit.phases import clock_at
from bcfl_client.audit.replay import replay
from bcfl_client.audit.report import Findings
from bcfl_client.audit.state import Moment
from bcfl_client.chain.history import read_history
from bcfl_client.errors import ContractReverted
from bcfl_client.types import Phase, Verdict, bits, pack_scores

from .disputes import Claim, Question, answer, ask, claim, show
from .stage import Stage

__all__ = ["Player", "check_clock"]

_WATCHERS = (2, 11, 16, 17, 18)  # a trainer, a miner, and three that are neither


class Player:
    """Plays one round after the other of the task of `stage`."""

    def __init__(self, stage: Stage, dice: random.Random) -> None:
        self.stage = stage
        self.dice = dice
        self._bonds: list[bytes] = []  # claims behind which bonds were ever posted
        self._claims: list[Claim] = []  # of the round
        self._questions: list[Question] = []
        self._false: dict[bytes, int] = {}  # by root: where the result is wrong
        self._salt = 0

    def play_round(self) -> None:
        """From Commit to the round's end."""
        stage, dice, lazy = self.stage, self.dice, self.dice.choice([0.0, 0.0, 0.1, 0.4])
        self._claims, self._questions = [], []
        stage.commit(but=self._some(stage.trainers, lazy), relayed=self._some(stage.trainers, 0.4))
        if self._phase() == Phase.REVEAL:
            stage.reveal(but=self._some(stage.trainers, lazy), relayed=self._some(stage.trainers, 0.4))
        if self._phase() == Phase.CHECK:
            verdicts = {
                m: {t: dice.choice(list(Verdict)) for t in self._some(stage.trainers, lazy)} for m in stage.miners
            }
            stage.check(verdicts, but=self._some(stage.miners, lazy))
        if self._phase() == Phase.SEAL and dice.random() < 0.8:
            self._propose_fast()
        if self._phase() == Phase.SEAL:
            self._vote(lazy)
        self._mine_again()
        check_clock(stage)
        stage.finalise()
        check_clock(stage)

    def reclaim(self) -> None:
        """Whatever bonds can be had back."""
        for digest in self._bonds:
            self._try(lambda digest=digest: self.stage.actor(19).reclaim(digest))  # type: ignore[misc]

    # ------------------------------------------------------------------ blocks

    def _propose_fast(self) -> None:
        stage, dice = self.stage, self.dice
        stage.world.later(dice.randint(0, 60))
        for seat in self._some(stage.active_miners(), 0.7):
            changes = self._lie() if dice.random() < 0.4 else {}
            self._try(lambda seat=seat, changes=changes: stage.propose_fast(seat, **changes))  # type: ignore[misc]
        if dice.random() < 0.1:
            stage.world.connection.request("anvil_mine", hex(dice.choice([10, 255, 256, 257, 300])))
        self._dispute()

    def _vote(self, lazy: float) -> None:
        stage, dice = self.stage, self.dice
        stage.world.later(dice.randint(0, 60))
        lies = [self._lie(), self._lie(), {"root": bytes([dice.randint(1, 2)]) * 32}]
        lying = dice.choice([0.0, 0.3, 0.8])
        changes: dict[int, dict[str, Any]] = {}
        for seat in stage.miners:
            scores = {i: dice.randint(0, 65_535) for i in stage.trainers}
            changes[seat] = {"scores": pack_scores(scores, len(stage.trainers)), "accuracy": dice.randint(0, 10_000)}
            if dice.random() < lying:
                changes[seat] |= dice.choice([lies[0], *lies])
        no_seal = self._some(stage.miners, lazy)
        candidates = [seat for seat in stage.active_miners() if seat not in no_seal]
        dice.shuffle(candidates)
        several = stage.task.terms["forkWindow"] > 0
        count = dice.randint(0 if lazy else 1, len(candidates)) if several and candidates else len(candidates[:1])
        no_open = self._some(stage.miners, lazy)
        stage.mine(changes, no_seal, no_open, candidates[:count], self._dispute)

    def _mine_again(self) -> None:
        while (phase := self._phase()) in (Phase.MINE, Phase.OPEN, Phase.CHALLENGE):
            self._dispute()
            for seat in self._some(self.stage.active_miners(), 0.7):
                if self._phase() == Phase.MINE:
                    self._try(lambda seat=seat: self.stage.propose(seat))  # type: ignore[misc]
            if self._phase() == phase:
                self.stage.let_pass(phase)

    def _lie(self) -> dict[str, bytes]:
        coordinate = self.dice.randrange(len(self.stage.base))
        lie = self.stage.false_result(coordinate, self.dice.choice([-1, 1]))
        self._false[lie["root"]] = coordinate
        return lie

    # ------------------------------------------------------------------ disputes

    def _dispute(self) -> None:
        acts = (self._claim, self._show, self._show, self._ask, self._answer, self._expire, self._wait)
        while self._phase() in (Phase.MINE, Phase.OPEN, Phase.CHALLENGE) and self.dice.random() < 0.85:
            self._try(self.dice.choice(acts))
            if self.dice.random() < 0.3:
                check_clock(self.stage)

    def _claim(self) -> None:
        seat = self._known_seat()
        if seat is not None:
            root = self.stage.openings[seat].root
            right = self.dice.randrange(len(self.stage.base))
            coordinate = self._false.get(root, right) if self.dice.random() < 0.8 else right
            self._salt += 1
            self._claims.append(claim(self.stage, self.dice.choice(_WATCHERS), seat, coordinate, self._salt))
            self._bonds.append(self._claims[-1].id)

    def _show(self) -> None:
        shown = [one for one in self._claims if one.opening.root in self.stage.known]
        true = [one for one in shown if self._false.get(one.opening.root) == one.coordinate]
        if shown:
            show(self.stage, self.dice.choice(true or shown))

    def _ask(self) -> None:
        seat = self._known_seat()
        if seat is None or self.stage.openings[seat].root not in self.stage.known:
            return
        height = self.dice.choice([None, 9, 5, 0])
        index = 0 if height is None else self.dice.randrange(41_803 // 32 >> height)
        self._questions.append(ask(self.stage, self.dice.choice(_WATCHERS), seat, height, index))
        self._bonds.append(self._questions[-1].digest)

    def _answer(self) -> None:
        if self._questions:
            answer(self.stage, self.dice.choice(self._questions))

    def _expire(self) -> None:
        if self._questions:
            self.stage.actor(19).expire(self.dice.choice(self._questions).digest)

    def _wait(self) -> None:
        self.stage.world.later(self.dice.randint(0, 120))

    def _known_seat(self) -> int | None:
        now = self.stage.task.status().round
        seats = [*bits(now.openers), *([now.fast - 1] if now.fast else [])]
        false = [seat for seat in seats if self.stage.openings[seat].root in self._false]
        return self.dice.choice(false or seats) if seats else None

    # ------------------------------------------------------------------ dice

    def _phase(self) -> Phase:
        return self.stage.task.status().phase

    def _some(self, seats: Iterable[int], chance: float) -> list[int]:
        return [seat for seat in seats if self.dice.random() < chance]

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        """What a rule forbids does not happen."""
        with suppress(ContractReverted):
            act()


def check_clock(stage: Stage) -> None:
    """At the newest block the auditor's clock says what the contract's does."""
    connection, codec = stage.world.connection, stage.task.codec
    history = read_history(connection, stage.task.address)
    newest = connection.request("eth_getBlockByNumber", hex(history.block), False)
    books, _ = replay(history, Findings())
    clock = clock_at(books, Moment(int(newest["timestamp"], 16), history.block))
    said = codec.result("status", connection.call(stage.task.address, codec.call("status"), hex(history.block)))
    attempt = books.round.attempt + clock.again if books.round is not None else 0
    assert (said["phase"], said["deadline"], said["attempt"]) == (int(clock.phase), clock.end or 0, attempt)
