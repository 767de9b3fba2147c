"""`LearningTask.propose` where the truth has no block: who opened it mines again."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.digests import Opening
from ..support.disputes import LIE, Case, lied
from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Fault, Phase, Role
from ..support.models import Models
from ..support.money import assert_balanced, fees
from ..support.play import Play
from ..support.terms import BASE


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any) -> Case:
    """Without a fork window, seat 0 lied and was the first; seats 1 and 2 opened the truth, a strict majority."""
    return lied(publish(), 0)


@pytest.fixture(scope="module")
def play(case: Case) -> Play:
    return case.play


def propose(case: Case, seat: int, opening: Opening | None = None, nonce: int | None = None, who: Any = None) -> Any:
    opening = opening or case.results[seat]
    nonce = case.play.work(seat, opening)[0] if nonce is None else nonce
    return case.task.propose(seat, opening.values(), nonce, {"from": who or case.play.miners[seat]})


# ---------------------------------------------------------------------- reverts


def test_after_the_deadline(case: Case) -> None:
    nonce, _ = case.play.work(1, case.results[1])
    chain.next_at(case.play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.MINE):
        propose(case, 1, nonce=nonce)


def test_after_the_first(case: Case) -> None:
    """The first valid block ends it."""
    propose(case, 1)
    with reverts("LearningTask_WrongPhase", Phase.CHALLENGE, Phase.MINE):
        propose(case, 2)


def test_after_the_first_of_forks(publish: Any, eve: Any) -> None:
    """Even where the task has a fork window: that was for the first attempt."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    case = Case.of(play, dict.fromkeys((0, 1), Models.of(play).lie(LIE)))
    case.seal()
    case.propose(0)
    play.let_pass(Phase.MINE)
    case.open()
    case.refute(eve)
    propose(case, 2)
    assert play.phase == Phase.CHALLENGE


def test_not_your_seat(case: Case, nick: Any) -> None:
    with reverts("LearningTask_NotYourSeat", nick, 2):
        propose(case, 2, who=nick)


def test_not_sealed(publish: Any, eve: Any) -> None:
    """Who took no part in the vote takes none now."""
    play = publish(minerSlots=4)
    play.miners = [*play.miners, play.trainers[0]]
    case = Case.of(play.until(Phase.SEAL), {0: Models.of(play).lie(LIE)})
    play.seal(0, 1, 2, results=case.results)
    play.let_pass(Phase.SEAL)
    case.propose(0)
    case.refute(eve)
    case.open()
    assert play.phase == Phase.MINE
    with reverts("LearningTask_NotSealed", 3):
        propose(case, 3)


@pytest.mark.parametrize("claimed", [0, 1], ids=["its own", "the truth"])
def test_liar(case: Case, claimed: int) -> None:
    """Who opened something else has no second try, whatever it says now."""
    with reverts("LearningTask_WrongResult", 0):
        propose(case, 0, case.results[claimed])


def test_lie_of_who_told_the_truth(case: Case) -> None:
    """Nor is the lie taken from others."""
    with reverts("LearningTask_WrongResult", 1):
        propose(case, 1, case.models.opening(1, case.made[0]))


@pytest.mark.parametrize(
    "change",
    [{"accuracy": 1}, {"scores": (1, 2, 3)}, {"salt": b"\x09" * 32}],
    ids=lambda change: next(iter(change)),
)
def test_other_than_sealed(case: Case, change: dict[str, Any]) -> None:
    """The block is what its miner has sealed, whole."""
    with reverts("LearningTask_WrongOpening", 1):
        propose(case, 1, case.models.opening(1, case.made[1], **change))


def test_not_opened(publish: Any, eve: Any) -> None:
    """Who kept its seal closed is not among those who opened the truth, though it has the same result."""
    case = one_honest_opener(publish, eve)
    with reverts("LearningTask_WrongResult", 2):
        propose(case, 2)


def test_refuted(publish: Any, eve: Any) -> None:
    """Who was proven wrong is out at once."""
    case = lied(publish(), 0, 1)
    case.refute(eve)
    with reverts("LearningTask_StruckOut", 0):
        propose(case, 0)


def test_guilty_of_the_same(publish: Any, eve: Any) -> None:
    """So is the lie, whoever opened it."""
    case = lied(publish(), 0, 1)
    case.refute(eve)
    with reverts("LearningTask_WrongResult", 1):
        propose(case, 1)


def test_too_little_work(case: Case) -> None:
    nonce, block_hash = case.play.work(1, case.results[1], enough=False)
    limit = digests.target(BASE["difficulty"])
    with reverts("LearningTask_TooLittleWork", int.from_bytes(block_hash, "big"), limit):
        propose(case, 1, nonce=nonce)


def test_work_of_the_first_attempt(publish: Any) -> None:
    """A nonce found before is worth nothing: the header binds the attempt."""
    case = Case.of(publish(difficulty=2**10).until(Phase.SEAL), {})
    case = Case.of(case.play, {0: case.models.lie(LIE)})
    case.seal()
    spared, _ = case.play.work(1, case.results[1])
    case.propose(0)
    case.open()
    found = int.from_bytes(digests.work(case.play.header(1, case.results[1]), spared), "big")
    with reverts("LearningTask_TooLittleWork", found, digests.target(2**10)):
        propose(case, 1, nonce=spared)


# ---------------------------------------------------------------------- successes


def test_again(case: Case) -> None:
    """The truth gets its block, of the next attempt, with a window of its own; nothing is opened anew."""
    assert (case.play.phase, case.play.status["attempt"], case.play.round["attempt"]) == (Phase.MINE, 1, 0)
    assert case.play.status["deadline"] == case.play.round["openClosed"] + BASE["mineWindow"]
    chain.pass_time(100)
    nonce, block_hash = case.play.work(2, case.results[2])
    seals = bytes(case.play.status["sealsDigest"])
    tx = propose(case, 2, nonce=nonce)

    assert names(tx) == ["Proposed"]
    assert log(tx, "Proposed") == {
        "round": 1,
        "seat": 2,
        "blockHash": block_hash,
        "attempt": 1,
        "parent": b"\x00" * 32,
        "sealsDigest": seals,
        "difficulty": BASE["difficulty"],
        "nonce": nonce,
    }
    miner = case.task.miner(2)
    assert (miner["order"], bytes(miner["blockHash"])) == (2, block_hash)
    assert (bytes(miner["root"]), bytes(miner["contentId"])) == (case.results[2].root, case.results[2].content_id)
    status = case.play.status
    assert (status["phase"], status["attempt"]) == (Phase.CHALLENGE, 1)
    assert status["deadline"] == tx.timestamp + BASE["challengeWindow"]
    current = status["round"]
    assert (current["proposers"], current["attempt"], current["windowFrom"]) == (0b101, 1, tx.timestamp)
    assert current["firstProposal"] < tx.timestamp


def test_becomes_the_head(case: Case, everybody: list[Any]) -> None:
    """The round ends as if the truth had come first; the liar is outvoted."""
    case.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    tx = case.task.finalise(*case.play.medians(), {"from": case.play.publisher})
    assert (log(tx, "RoundFinalised")["seat"], log(tx, "RoundFinalised")["root"]) == (2, case.results[2].root)
    winner, each = fees(30_000, 2)
    assert [(event["seat"], event["amount"]) for event in logs(tx, "Paid") if event["role"] == Role.MINER] == [
        (1, each),
        (2, winner),
    ]
    assert [(event["seat"], event["fault"]) for event in logs(tx, "Slashed")] == [(0, Fault.OUTVOTED)]
    assert case.play.status["attempt"] == 0
    assert_balanced(case.task, everybody)


def test_difficulty_counts_the_first_attempt(publish: Any) -> None:
    """Work gets no easier because a liar was first: only the first block's time counts."""
    play = publish(difficulty=64, blockTime=10).until(Phase.SEAL)
    case = Case.of(play, {0: Models.of(play).lie(LIE)})
    case.seal()
    nonce, _ = play.work(0, case.results[0])
    chain.next_at(play.round["sealClosed"] + 10)
    chain.send(play.miners[0], case.task.propose, 0, case.results[0].values(), nonce)
    case.open()
    chain.pass_time(900)
    case.propose(1)
    play.let_pass(Phase.CHALLENGE)
    play.finalise()
    assert play.status["difficulty"] == 64


def test_until_the_last_second(case: Case) -> None:
    nonce, _ = case.play.work(1, case.results[1])
    chain.next_at(case.play.status["deadline"] - 1)
    assert log(propose(case, 1, nonce=nonce), "Proposed")["seat"] == 1


def test_after_a_refutation(publish: Any, eve: Any) -> None:
    """Where the majority lied, the only one who did not may mine: from the refutation on it has the whole window."""
    case = lied(publish(), 0, 1)
    chain.pass_time(300)
    case.refute(eve)
    assert case.play.status["deadline"] == case.play.round["lastDispute"] + BASE["mineWindow"]
    tx = propose(case, 2)
    assert log(tx, "Proposed")["attempt"] == 1
    assert case.play.phase == Phase.CHALLENGE


def test_after_an_open_that_the_clock_closed(publish: Any, eve: Any) -> None:
    """Its end is behind, and the round does not fall back."""
    case = one_honest_opener(publish, eve)
    assert case.play.round["openClosed"] == 0
    propose(case, 1)
    assert case.play.phase == Phase.CHALLENGE


def test_as_often_as_needed(publish: Any, eve: Any) -> None:
    """What is mined again can be refuted again; each block has an attempt of its own. Ties go to the lower id."""
    play = publish().until(Phase.SEAL)
    models = Models.of(play)
    truth = digests.result(models.opening(2, models.truth()))
    by = next(by for by in range(2, 99) if digests.result(models.opening(1, models.lie(LIE, by))) < truth)
    case = Case.of(play, {0: models.lie(LIE), 1: models.lie(LIE, by)})
    case.seal()
    case.propose(0)
    case.refute(eve)
    case.open()
    with reverts("LearningTask_WrongResult", 2):
        propose(case, 2)
    assert log(propose(case, 1), "Proposed")["attempt"] == 1
    case.refute(eve, 1)
    assert (play.phase, play.status["attempt"]) == (Phase.MINE, 2)
    assert log(propose(case, 2), "Proposed")["attempt"] == 2
    play.let_pass(Phase.CHALLENGE)
    tx = case.task.finalise(*play.medians(), {"from": eve})
    assert log(tx, "RoundFinalised")["seat"] == 2
    assert [event["seat"] for event in logs(tx, "BountyPaid")] == [0, 1]


def test_nobody_does(case: Case, eve: Any) -> None:
    """Without a block in time the round is void; only the liar answers for it."""
    case.play.let_pass(Phase.MINE)
    tx = case.task.finalise([], 0, {"from": eve})
    assert log(tx, "RoundVoided")["counted"] is True
    assert [(event["seat"], event["fault"]) for event in logs(tx, "Slashed")] == [(0, Fault.OUTVOTED)]


def one_honest_opener(publish: Any, eve: Any) -> Case:
    """Seat 0 lied and was refuted, 1 opened the truth, 2 sealed the truth and kept silent until Open was over."""
    play = publish().until(Phase.SEAL)
    case = Case.of(play, {0: Models.of(play).lie(LIE)})
    case.seal()
    case.propose(0)
    case.refute(eve)
    case.open(1)
    play.let_pass(Phase.OPEN)
    assert play.phase == Phase.MINE
    return case
