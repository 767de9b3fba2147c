"""`LearningTask.finalise` of a round with a block: refusals, head, pay, fees, scores, difficulty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..support import chain, digests
from ..support.errors import reverts
from ..support.events import log, logs, names, plain
from ..support.kinds import Phase, Role, Verdict
from ..support.money import Work, assert_balanced, fees, pay
from ..support.play import Play
from ..support.terms import BASE

BUDGET = BASE["reward"] // 3 - 30_000  # wei a round for the trainers: the highest fee is kept back
QUALITY = BASE["startQuality"]
SCORES = [40_001, 40_101, 40_201]  # the honest medians


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """All three miners agree; the block is seat 0's."""
    return publish().until(Phase.FINALISE)


def finalise(play: Play, medians: tuple[list[int], int] | None = None, who: Any = None) -> Any:
    words, middle = medians or play.medians()
    return play.task.finalise(words, middle, {"from": who or play.publisher})


# ---------------------------------------------------------------------- reverts


def test_while_commit_runs(publish: Any, eve: Any) -> None:
    play = publish().until(Phase.COMMIT)
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.FINALISE):
        play.task.finalise([], 0, {"from": eve})


def test_within_the_shortest_window(publish: Any) -> None:
    """Even when all agree there is time to object."""
    play = publish().until(Phase.CHALLENGE)
    medians = play.medians()
    chain.next_at(play.status["deadline"] - 1)
    with reverts("LearningTask_WrongPhase", Phase.CHALLENGE, Phase.FINALISE):
        finalise(play, medians)


def test_within_the_challenge_window(publish: Any) -> None:
    """When one miner is silent the whole window runs."""
    play = publish(openWindow=100).until(Phase.OPEN)
    play.open(1)
    play.let_pass(Phase.OPEN)
    medians = play.medians()
    chain.next_at(play.round["firstProposal"] + BASE["challengeWindow"] - 1)
    with reverts("LearningTask_WrongPhase", Phase.CHALLENGE, Phase.FINALISE):
        finalise(play, medians)


def test_twice(play: Play) -> None:
    medians = play.medians()
    play.finalise()
    with reverts("LearningTask_WrongPhase", Phase.COMMIT, Phase.FINALISE):
        finalise(play, medians)


@pytest.mark.parametrize("words", [[], [1, 2]])
def test_wrong_count_of_words(play: Play, words: list[int]) -> None:
    """One word for up to sixteen trainers."""
    with reverts("LearningTask_WrongScores", len(words), 1):
        finalise(play, (words, 0))


@pytest.mark.parametrize("seat", [0, 1, 2])
@pytest.mark.parametrize("off", [-1, 1])
def test_wrong_median(play: Play, seat: int, off: int) -> None:
    """Medians are checked for each trainer, to the unit."""
    lanes = [score + (off if seat == at else 0) for at, score in enumerate(SCORES)]
    with reverts("LearningTask_WrongMedian", seat):
        finalise(play, (digests.pack(tuple(lanes)), SCORES[1]))


@pytest.mark.parametrize("middle", [SCORES[0], SCORES[1] + 1, SCORES[2]])
def test_wrong_middle(play: Play, middle: int) -> None:
    """So is the median of the medians, under the number of trainers."""
    with reverts("LearningTask_WrongMedian", 3):
        finalise(play, (digests.pack(tuple(SCORES)), middle))


def test_median_of_no_input(publish: Any) -> None:
    """Who is no input has no score."""
    play = publish().until(Phase.CHECK)
    play.check(verdicts=play.said.verdicts({2: Verdict.COPY}))
    play.until(Phase.FINALISE)
    assert digests.unpack(play.medians()[0], 3) == (*SCORES[:2], 0)
    with reverts("LearningTask_WrongMedian", 2):
        finalise(play, (digests.pack(tuple(SCORES)), SCORES[0]))


# ---------------------------------------------------------------------- successes


def test_block(play: Play, eve: Any) -> None:
    """Anybody may end a round; its block becomes the head and the next round starts on it."""
    opening = play.said.opening(0)
    block_hash = bytes(play.task.miner(0)["blockHash"])
    words, _ = play.medians()
    tx = finalise(play, who=eve)

    assert log(tx, "RoundFinalised") == {
        "round": 1,
        "seat": 0,
        "blockHash": block_hash,
        "root": opening.root,
        "contentId": opening.content_id,
        "accuracy": 8001,  # the median of 8000, 8001, 8002
        "medians": tuple(words),
    }
    assert plain(play.task.head()) == (block_hash, opening.root, opening.content_id)
    assert tuple(log(tx, "RoundStarted").values()) == (2, block_hash, BASE["difficulty"], 3, 0b111)
    status = play.status
    assert (status["phase"], status["roundsLeft"], status["voidRounds"]) == (Phase.COMMIT, 2, 0)
    assert (status["round"]["id"], status["round"]["start"], status["round"]["sealers"]) == (2, tx.timestamp, 0)
    assert set(names(tx)) == {
        *("RoundFinalised", "Paid", "QualityChanged", "MinerRecorded", "RoundStarted"),
    }


def test_pay(play: Play, everybody: list[Any]) -> None:
    """Trainers get their price and their part of the rest by samples x score; nobody is struck."""
    works = [Work((seat + 1) * 100, (seat + 1) * 100, SCORES[seat]) for seat in range(3)]
    expected = pay(BUDGET, works)
    tx = finalise(play)
    paid = [event for event in logs(tx, "Paid") if event["role"] == Role.TRAINER]
    assert [(event["seat"], event["amount"]) for event in paid] == list(enumerate(expected))
    for seat, amount in enumerate(expected):
        trainer = play.task.trainer(seat)
        assert (trainer["earned"], trainer["paidRounds"], trainer["strikes"]) == (amount, 1, 0)
        assert trainer["deposit"] == (seat + 1) * 10_000
    assert play.task.burnt() == 0
    assert_balanced(play.task, everybody)


def test_fees(play: Play) -> None:
    """Half of the fee to the block's miner, half in equal parts to all who opened the truth; the rest stays."""
    tx = finalise(play)
    winner, each = fees(10_000, 3)
    assert (winner, each) == (6666, 1666)
    paid = [event for event in logs(tx, "Paid") if event["role"] == Role.MINER]
    assert [(event["seat"], event["amount"]) for event in paid] == [(0, winner), (1, each), (2, each)]
    assert [play.task.miner(seat)["earned"] for seat in range(3)] == [winner, each, each]
    spent = sum(event["amount"] for event in logs(tx, "Paid"))
    assert play.task.pool() == BASE["reward"] - spent


def test_odd_fee(publish: Any, eve: Any) -> None:
    """The odd wei of a fee is in the openers' half."""
    play = publish(rounds=1)
    for seat, who in enumerate(play.trainers):
        play.bid_as_trainer(who, (seat + 1) * 100, (seat + 1) * 100)
    for who in play.miners:
        play.bid_as_miner(who, 10_001)
    play.let_pass(Phase.BIDDING)
    tx = finalise(play.until(Phase.FINALISE), who=eve)
    paid = [event["amount"] for event in logs(tx, "Paid") if event["role"] == Role.MINER]
    assert paid == [5000 + 1667, 1667, 1667]


def test_unspent_money_is_for_later_rounds(play: Play) -> None:
    """What flooring and a cheap miner leave over is shared out in the next round."""
    play.finalise()
    left = play.task.pool()
    assert left > 2 * (BUDGET + 30_000)
    play.until(Phase.FINALISE)
    tx = finalise(play)
    works = [Work((seat + 1) * 100, (seat + 1) * 100, SCORES[seat]) for seat in range(3)]
    paid = [event["amount"] for event in logs(tx, "Paid") if event["role"] == Role.TRAINER]
    assert paid == pay((left - 60_000) // 2, works)


def test_quality_rises_by_an_eighth(play: Play) -> None:
    """Quality moves an eighth of the way up to the score."""
    tx = finalise(play)
    expected = [QUALITY + (score - QUALITY) // 8 for score in SCORES]
    assert [tuple(event.values()) for event in logs(tx, "QualityChanged")] == [
        (1, seat, quality) for seat, quality in enumerate(expected)
    ]
    assert [play.task.trainer(seat)["quality"] for seat in range(3)] == expected


def test_quality_falls_by_half(publish: Any) -> None:
    """And half of the way down."""
    play = publish().until(Phase.SEAL)
    low = {seat: play.said.opening(seat, scores=(20_001, 20_001, QUALITY)) for seat in range(3)}
    play.seal(results=low)
    play.propose(results=low)
    play.open(results=low)
    play.let_pass(Phase.CHALLENGE)
    tx = finalise(play)
    fallen = QUALITY - (QUALITY - 20_001) // 2
    assert [(event["seat"], event["quality"]) for event in logs(tx, "QualityChanged")] == [(0, fallen), (1, fallen)]


def test_records_of_miners(play: Play, reputation: Any) -> None:
    """The registry gets n/m and s/t of every miner of the round."""
    finalise(play)
    assert [plain(reputation.minerRecord(who)) for who in play.miners] == [
        (1, 1, 6666, 10_000),
        (0, 1, 1666, 10_000),
        (0, 1, 1666, 10_000),
    ]


def test_samples_beyond_the_cap(publish: Any, alice: Any) -> None:
    """Samples count as offered, whatever is claimed."""
    play = publish().until(Phase.COMMIT)
    boast = replace(play.said.update(0), samples=2**32 - 1)
    chain.send(alice, play.task.commit, play.said.commitment(0, boast))
    play.commit(1, 2)
    chain.send(alice, play.task.reveal, *boast.values())
    play.until(Phase.FINALISE)
    works = [Work((seat + 1) * 100, (seat + 1) * 100, SCORES[seat]) for seat in range(3)]
    play.finalise()
    assert play.task.trainer(0)["earned"] == pay(BUDGET, works)[0]


def test_lower_median_of_two(publish: Any) -> None:
    """With two openers the lower score and the lower accuracy count."""
    play = publish().until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.until(Phase.FINALISE)
    tx = finalise(play, (digests.pack((40_000, 40_100, 40_200)), 40_100))
    assert log(tx, "RoundFinalised")["accuracy"] == 8000


def test_own_score_is_left_out(publish: Any, mia: Any, nick: Any, carol: Any) -> None:
    """A miner that trains too has no say on itself: the others' lower score counts."""
    play = publish()
    play.miners = [mia, nick, carol]
    play.until(Phase.SEAL)
    greedy = {2: play.said.opening(2, scores=(40_002, 40_102, 65_535))}
    play.seal(results=greedy)
    play.propose(0)
    play.open(results=greedy)
    play.let_pass(Phase.CHALLENGE)
    tx = finalise(play, (digests.pack((40_001, 40_101, 40_200)), 40_101))
    assert log(tx, "RoundFinalised")["seat"] == 0


def test_earliest_fork_with_the_truth(publish: Any) -> None:
    """Of several blocks the first that carries the majority's result wins."""
    play = publish(forkWindow=60).until(Phase.SEAL)
    wrong = {2: play.said.opening(2, root=b"\x09" * 32)}
    play.seal(results=wrong)
    play.propose(2, results=wrong)
    play.propose(1)
    play.propose(0)
    play.until(Phase.FINALISE)
    tx = finalise(play)
    assert log(tx, "RoundFinalised")["seat"] == 1
    assert bytes(play.task.head()["root"]) == play_root(play)


def play_root(play: Play) -> bytes:
    """The honest result of the round before."""
    return replace(play.said, number=play.said.number - 1).opening(0).root


@pytest.mark.parametrize(
    ("seconds", "difficulty"),
    [(10, 64), (5, 128), (20, 32), (1, 256), (1000, 16)],
    ids=["as wanted", "twice as fast", "half as fast", "clamped up", "clamped down"],
)
def test_difficulty_follows_the_clock(publish: Any, seconds: int, difficulty: int) -> None:
    """Work gets harder or easier by how long mining took, by a factor of four at most."""
    play = publish(difficulty=64, blockTime=10, mineWindow=2000).until(Phase.MINE)
    opening = play.said.opening(0)
    nonce, _ = play.work(0, opening)
    chain.next_at(play.round["sealClosed"] + seconds)
    chain.send(play.miners[0], play.task.propose, 0, opening.values(), nonce)
    play.until(Phase.FINALISE)
    changed = logs(finalise(play), "DifficultyChanged")
    assert play.status["difficulty"] == difficulty
    assert changed == ([] if difficulty == 64 else [{"round": 1, "difficulty": difficulty}])


def test_more_than_sixteen_trainers(publish: Any, accounts: Any) -> None:
    """The seventeenth trainer's scores stand in a second word, and are checked like all others."""
    play = publish(trainerSlots=17, maxPrice=2000, reward=60_000_000)
    play.trainers = [accounts[seat + 10] for seat in range(17)]
    play.until(Phase.FINALISE)
    lanes, middle = digests.unpack(play.medians()[0], 17), play.medians()[1]
    assert lanes == tuple(40_001 + 100 * seat for seat in range(17))
    with reverts("LearningTask_WrongMedian", 16):
        finalise(play, (digests.pack((*lanes[:16], 0)), middle))
    with reverts("LearningTask_WrongScores", 1, 2):
        finalise(play, (digests.pack(lanes[:16]), middle))
    assert len(log(finalise(play), "RoundFinalised")["medians"]) == 2
    assert all(play.task.trainer(seat)["earned"] > 0 for seat in range(17))
