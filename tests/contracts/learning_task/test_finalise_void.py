"""`LearningTask.finalise` of a round without a block: who is paid, who is struck, when the task gives up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, logs
from ..support.kinds import Fault, Phase, Role, State, Verdict
from ..support.money import assert_balanced
from ..support.play import Play
from ..support.terms import BASE

PRICES = [10_000, 40_000, 90_000]  # of the honest updates, by seat
SLASH = 20_000  # half of a miner's deposit


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish().until(Phase.COMMIT)


@pytest.fixture
def finalise(play: Play, everybody: list[Any], eve: Any) -> Callable[..., Any]:
    """Ends the round; it must have no block, and the books must balance."""

    def run(of: Play | None = None) -> Any:
        voided = of or play
        before = voided.task.head()
        tx = voided.task.finalise([], 0, {"from": eve})
        assert not logs(tx, "RoundFinalised")
        assert voided.task.head() == before
        assert voided.status["voidRounds"] == 1
        assert_balanced(voided.task, everybody)
        return tx

    return run


def paid(tx: Any) -> dict[tuple[Role, int], int]:
    return {(event["role"], event["seat"]): event["amount"] for event in logs(tx, "Paid")}


def struck(tx: Any, role: Role) -> list[int]:
    return [event["seat"] for event in logs(tx, "Struck") if event["role"] == role]


def slashed(tx: Any) -> list[tuple[Role, int, Fault, int]]:
    return [(event["role"], event["seat"], event["fault"], event["amount"]) for event in logs(tx, "Slashed")]


# ---------------------------------------------------------------------- reverts


def test_scores(play: Play, eve: Any) -> None:
    """A void round has no scores."""
    play.until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    with reverts("LearningTask_WrongScores", 1, 0):
        play.task.finalise([1], 0, {"from": eve})


# ---------------------------------------------------------------------- before Reveal is over: not counted


def test_nobody_commits(play: Play, finalise: Callable) -> None:
    """Trainers are struck, miners are not; the round does not count."""
    play.let_pass(Phase.COMMIT)
    tx = finalise()
    assert log(tx, "RoundVoided") == {"round": 1, "counted": False, "inputs": 0}
    assert (struck(tx, Role.TRAINER), struck(tx, Role.MINER)) == ([0, 1, 2], [])
    assert not slashed(tx) and not paid(tx)
    assert play.status["roundsLeft"] == 3
    assert log(tx, "RoundStarted")["round"] == 2


def test_nobody_reveals(play: Play, finalise: Callable) -> None:
    """Who committed and hid loses half of its deposit, who did not commit gets a strike only."""
    play.commit(0, 1)
    play.let_pass(Phase.COMMIT, Phase.REVEAL)
    tx = finalise()
    assert log(tx, "RoundVoided")["counted"] is False
    assert slashed(tx) == [
        (Role.TRAINER, 0, Fault.NOT_REVEALED, 5_000),
        (Role.TRAINER, 1, Fault.NOT_REVEALED, 10_000),
    ]
    assert struck(tx, Role.TRAINER) == [0, 1, 2]
    assert struck(tx, Role.MINER) == []
    assert play.task.burnt() == 15_000


# ---------------------------------------------------------------------- after a reveal: counted, inputs are paid


def test_too_few_reveal(play: Play, finalise: Callable) -> None:
    """One update is too few for a block, but it is paid its price: it was shown."""
    play.commit()
    play.reveal(1)
    play.let_pass(Phase.REVEAL)
    tx = finalise()
    assert log(tx, "RoundVoided") == {"round": 1, "counted": True, "inputs": 0b010}
    assert paid(tx) == {(Role.TRAINER, 1): PRICES[1]}
    assert struck(tx, Role.MINER) == []
    assert play.status["roundsLeft"] == 2


def test_check_leaves_too_few(play: Play, finalise: Callable) -> None:
    """Condemned updates are unpaid; miners that were silent are struck."""
    play.until(Phase.CHECK)
    play.check(0, 1, verdicts=play.said.verdicts({0: Verdict.COPY, 1: Verdict.UNAVAILABLE}))
    play.let_pass(Phase.CHECK)
    tx = finalise()
    assert log(tx, "RoundVoided") == {"round": 1, "counted": True, "inputs": 0b100}
    assert paid(tx) == {(Role.TRAINER, 2): PRICES[2]}
    assert slashed(tx) == [
        (Role.TRAINER, 0, Fault.REJECTED, BASE["penalty"]),
        (Role.TRAINER, 1, Fault.REJECTED, BASE["penalty"]),
    ]
    assert [(event["seat"], event["amount"]) for event in logs(tx, "Forfeited")] == [(0, PRICES[0]), (1, PRICES[1])]
    assert struck(tx, Role.MINER) == [2]
    assert play.task.burnt() == 2 * BASE["penalty"] + PRICES[0] + PRICES[1]


def test_miners_stall(play: Play, finalise: Callable) -> None:
    """Without any check or seal all revealed updates are paid their price, and every miner loses half."""
    play.until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    tx = finalise()
    assert log(tx, "RoundVoided") == {"round": 1, "counted": True, "inputs": 0b111}
    assert paid(tx) == {(Role.TRAINER, seat): price for seat, price in enumerate(PRICES)}
    assert slashed(tx) == [(Role.MINER, seat, Fault.NOT_SEALED, SLASH) for seat in range(3)]
    assert struck(tx, Role.MINER) == [0, 1, 2]
    assert play.status["roundsLeft"] == 2


def test_nobody_proposes(play: Play, finalise: Callable) -> None:
    """Who sealed and did not mine is struck; who did not even seal loses a part of its deposit too."""
    play.until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL, Phase.MINE)
    tx = finalise()
    assert paid(tx) == {(Role.TRAINER, seat): price for seat, price in enumerate(PRICES)}
    assert slashed(tx) == [(Role.MINER, 2, Fault.NOT_SEALED, SLASH)]
    assert struck(tx, Role.MINER) == [0, 1, 2]


def test_no_majority(play: Play, finalise: Callable) -> None:
    """Three results, no truth: nobody can be blamed, nobody gets a fee."""
    play.until(Phase.SEAL)
    results = {seat: play.said.opening(seat, root=bytes([seat + 1]) * 32) for seat in range(3)}
    play.seal(results=results)
    play.propose(results=results)
    play.open(results=results)
    tx = finalise()
    assert paid(tx) == {(Role.TRAINER, seat): price for seat, price in enumerate(PRICES)}
    assert not slashed(tx)
    assert not logs(tx, "Struck")


def test_votes_withheld(play: Play, finalise: Callable) -> None:
    """A proposal that nobody backs is no truth; who hid its seal loses a part of its deposit."""
    play.until(Phase.OPEN)
    play.let_pass(Phase.OPEN)
    tx = finalise()
    assert slashed(tx) == [(Role.MINER, seat, Fault.NOT_OPENED, SLASH) for seat in (1, 2)]
    assert struck(tx, Role.MINER) == [1, 2]


def test_truth_without_a_block(play: Play, finalise: Callable) -> None:
    """When only an outvoted miner proposed, it answers for it; the majority's result has no block."""
    play.until(Phase.SEAL)
    wrong = {0: play.said.opening(0, root=b"\x09" * 32)}
    play.seal(results=wrong)
    play.propose(0, results=wrong)
    play.open()
    play.let_pass(Phase.MINE)  # the majority's miners had a second try
    tx = finalise()
    assert slashed(tx) == [(Role.MINER, 0, Fault.OUTVOTED, BASE["penalty"])]
    assert not [event for event in logs(tx, "Paid") if event["role"] == Role.MINER]


def test_middle_means_nothing(play: Play, eve: Any) -> None:
    """Whatever middle is given for a void round, it changes no pay and no quality."""
    play.until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    tx = play.task.finalise([], 65_535, {"from": eve})
    assert paid(tx) == {(Role.TRAINER, seat): price for seat, price in enumerate(PRICES)}
    assert not logs(tx, "QualityChanged")


def test_registry(play: Play, finalise: Callable, reputation: Any) -> None:
    """A void round counts as served; what was offered is the highest fee."""
    play.let_pass(Phase.COMMIT)
    finalise()
    for who in play.miners:
        assert tuple(reputation.minerRecord(who)) == (0, 1, 0, 30_000)


# ---------------------------------------------------------------------- how long


def test_one_too_many(publish: Any, publisher: Any, everybody: list[Any], eve: Any) -> None:
    """More than `maxVoidRounds` abort the task; what is left of the reward returns."""
    play = publish(maxVoidRounds=0).until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    tx = play.task.finalise([], 0, {"from": eve})
    rest = BASE["reward"] - sum(PRICES)
    assert log(tx, "TaskAborted") == {"toPublisher": rest}
    assert log(tx, "Burnt") == {"amount": 3 * SLASH}
    assert play.status["state"] == State.ABORTED
    assert play.task.withdrawable(publisher) == rest
    assert play.task.withdrawable(play.trainers[2]) == PRICES[2] + 30_000
    assert play.task.withdrawable(play.miners[2]) == 40_000 - SLASH
    assert_balanced(play.task, everybody)


def test_last_round_void(publish: Any, eve: Any) -> None:
    """A void round that counts can be the last one: the task is complete with the head that it has."""
    play = publish(rounds=1).until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    tx = play.task.finalise([], 0, {"from": eve})
    assert log(tx, "TaskCompleted")["early"] is False
    assert play.status["state"] == State.COMPLETED


def test_next_round_inherits(play: Play) -> None:
    """Surplus and fee of a void round go to the rounds after it."""
    play.until(Phase.CHECK)
    play.let_pass(Phase.CHECK, Phase.SEAL)
    play.finalise_unscored()
    assert play.task.pool() == BASE["reward"] - sum(PRICES)
    play.play_round()
    earned = [play.task.trainer(seat)["earned"] - PRICES[seat] for seat in range(3)]
    budget = (BASE["reward"] - sum(PRICES) - 2 * 30_000) // 2
    assert budget - 3 < sum(earned) <= budget


def test_nothing_carries_over(play: Play) -> None:
    """The round after a void one starts afresh, on the same parent."""
    play.until(Phase.OPEN)
    play.let_pass(Phase.OPEN)
    chain.send(play.publisher, play.task.finalise, [], 0)
    current = play.round
    assert (current["id"], current["commits"], current["sealers"], current["openers"]) == (2, 0, 0, 0)
    assert (current["inputs"], current["inputCount"], current["firstProposal"]) == (0, 0, 0)
    assert play.task.inputs() == 0
    play.play_round()
    assert play.status["voidRounds"] == 1
