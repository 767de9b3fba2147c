"""`LearningTask.proposeFast`: a trusted miner's block without seals and votes. What it pays is in
`test_finalise_fast.py`, what refutes it in `test_challenge.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ..support import chain, digests
from ..support.digests import Opening
from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Phase, Verdict
from ..support.play import Play
from ..support.terms import BASE, WINDOW

EVEN = 10_000  # an even part of all blocks: of three miners, one block in three rounds
MIN_WINDOW = BASE["minWindow"]

Services = list[tuple[bool, int, int]]  # accepted, received and offered wei of each round


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    """Round 2, Seal: seat 0 made the block of round 1 and got 6,666 of the 10,000 wei that were offered."""
    play = publish(fastBlocks=EVEN, fastRewards=6000).until(Phase.COMMIT)
    play.play_round()
    return play.until(Phase.SEAL)


@pytest.fixture
def known(publish: Any, reputation: Any, accounts: Any, dave: Any) -> Any:
    """A task in Seal, with terms of trust, when Dave has this record and seat 0."""

    def make(services: Services, share: int, rewards: int) -> Play:
        play = publish(fastBlocks=share, fastRewards=rewards)
        play.miners = [dave, *play.miners[1:]]
        play.until(Phase.SEAL)
        writer = accounts.at(play.task.address, force=True)
        for service in services:
            chain.send(writer, reputation.recordRound, [(str(play.miners[0]), *service)])
        return play

    return make


def propose(
    play: Play, seat: int = 0, opening: Opening | None = None, nonce: int | None = None, who: Any = None
) -> Any:
    opening = opening or play.said.opening(seat)
    nonce = play.fast_work(seat, opening)[0] if nonce is None else nonce
    return play.task.proposeFast(seat, opening.values(), nonce, {"from": who or play.miners[seat]})


# ---------------------------------------------------------------------- reverts


def test_while_check_runs(play: Play) -> None:
    """Nobody is fast before the inputs are known."""
    play.seal()
    play.propose()
    play.until(Phase.CHECK)
    with reverts("LearningTask_WrongPhase", Phase.CHECK, Phase.SEAL):
        propose(play)


def test_after_all_have_sealed(play: Play) -> None:
    play.seal()
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.SEAL):
        propose(play)


def test_after_the_deadline(play: Play) -> None:
    nonce, _ = play.fast_work(0, play.said.opening(0))
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.FINALISE, Phase.SEAL):
        propose(play, nonce=nonce)


def test_after_another(publish: Any) -> None:
    """While one stands there is no place for a second."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    for seat in (0, 1):
        play.until(Phase.MINE).propose(seat)
        play.until(Phase.FINALISE).finalise()
    play.until(Phase.SEAL).propose_fast(0)
    with reverts("LearningTask_WrongPhase", Phase.CHALLENGE, Phase.SEAL):
        propose(play, 1)


def test_not_your_seat(play: Play, nick: Any) -> None:
    with reverts("LearningTask_NotYourSeat", nick, 0):
        propose(play, who=nick)


def test_struck_out(publish: Any) -> None:
    play = publish(maxStrikes=1, fastBlocks=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.SEAL)
    with reverts("LearningTask_StruckOut", 2):
        propose(play, 2)


def test_no_fast_path(publish: Any) -> None:
    """Without the term no record is good enough."""
    play = publish(fastBlocks=0).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL)
    with reverts("LearningTask_NotTrusted", 30_000, 0):
        propose(play)


@pytest.mark.parametrize("rewards", [0, 1])
def test_unknown(known: Any, rewards: int) -> None:
    """Who never mined (m = 0) is not trusted, however little is asked for."""
    with reverts("LearningTask_NotTrusted", 0, 1):
        propose(known([], 1, rewards))


def test_never_a_block(play: Play) -> None:
    """Nor is who served and never made a block."""
    with reverts("LearningTask_NotTrusted", 0, EVEN):
        propose(play, 1)


@pytest.mark.parametrize(
    ("services", "asked", "share"),
    [
        ([(True, 9, 9)] + 3 * [(False, 9, 9)], EVEN, 7500),  # 1 of 4 rounds, a third is asked for
        ([(True, 9, 9)] + 3 * [(False, 9, 9)], 7501, 7500),
        (2 * [(True, 9, 9)] + 5 * [(False, 9, 9)], 8572, 8571),  # 8571.4 is rounded down
        ([(True, 9, 9)], 30_001, 30_000),  # more than all blocks is never there
    ],
)
def test_too_few_blocks(known: Any, services: Services, asked: int, share: int) -> None:
    """n x M >= theta x m, for M miners."""
    with reverts("LearningTask_NotTrusted", share, asked):
        propose(known(services, asked, 0))


@pytest.mark.parametrize(
    ("services", "share"),
    [([(True, 49, 100)], 4900), ([(True, 4999, 10_000)], 4999), ([(True, 100, 100), (False, 0, 101)], 4975)],
)
def test_too_little_received(known: Any, services: Services, share: int) -> None:
    """s / t: a miner whose blocks nobody wanted to pay is not trusted."""
    with reverts("LearningTask_NotTrusted", share, 5000):
        propose(known(services, 1, 5000))


def test_nothing_offered(known: Any) -> None:
    """Blocks without a fee say nothing of what it is worth."""
    with reverts("LearningTask_NotTrusted", 0, 1):
        propose(known([(True, 0, 0)], 1, 1))


def test_twice(play: Play) -> None:
    """One fast block a round: after it was drawn to be voted on, no luck is tried again."""
    play.propose_fast(0, drawn=True)
    assert play.phase == Phase.SEAL
    with reverts("LearningTask_AlreadyProposed", 0):
        propose(play)


def test_too_little_work(play: Play) -> None:
    """It takes as much work as any other."""
    nonce, block_hash = play.fast_work(0, play.said.opening(0), enough=False)
    limit = digests.target(play.terms["difficulty"])
    with reverts("LearningTask_TooLittleWork", int.from_bytes(block_hash, "big"), limit):
        propose(play, nonce=nonce)


@pytest.mark.parametrize(
    "change",
    [{"root": b"\x09" * 32}, {"content_id": b"\x09" * 32}, {"accuracy": 1}],
    ids=lambda change: next(iter(change)),
)
def test_work_on_something_else(publish: Any, change: dict[str, Any]) -> None:
    """The work is bound to the result and to the miner's word on its accuracy."""
    play = publish(fastBlocks=1, difficulty=2**10).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL)
    nonce, _ = play.fast_work(0, play.said.opening(0))
    other = play.said.opening(0, **change)
    found = int.from_bytes(digests.work(play.fast_header(0, other), nonce), "big")
    with reverts("LearningTask_TooLittleWork", found, digests.target(2**10)):
        propose(play, 0, other, nonce)


# ---------------------------------------------------------------------- successes


def test_propose(play: Play) -> None:
    """The block is kept, and the time to object runs: no seal, no vote."""
    opening = play.said.opening(0)
    nonce, block_hash = play.fast_work(0, opening)
    tx = propose(play, 0, opening, nonce)

    assert names(tx) == ["FastProposed"]
    assert log(tx, "FastProposed") == {
        "round": 2,
        "seat": 0,
        "blockHash": block_hash,
        "parent": bytes(play.status["head"]["blockHash"]),
        "root": opening.root,
        "contentId": opening.content_id,
        "accuracy": 8000,
        "difficulty": play.terms["difficulty"],
        "nonce": nonce,
    }
    miner = play.task.miner(0)
    assert (miner["order"], miner["accuracy"], bytes(miner["result"])) == (1, 8000, digests.result(opening))
    assert (bytes(miner["root"]), bytes(miner["contentId"])) == (opening.root, opening.content_id)
    assert bytes(miner["blockHash"]) == block_hash
    current = play.round
    assert (current["fast"], current["fastBlock"], current["windowFrom"]) == (1, tx.block_number, tx.timestamp)
    assert (current["proposers"], current["openers"], current["firstProposal"]) == (0, 0, 0)
    assert play.phase == Phase.CHALLENGE
    assert play.status["deadline"] == tx.timestamp + MIN_WINDOW


@pytest.mark.parametrize(
    ("services", "asked", "rewards"),
    [
        ([(True, 9, 9)] + 2 * [(False, 9, 9)], EVEN, 10_000),  # 1 of 3 rounds
        ([(True, 9, 9)] + 3 * [(False, 9, 9)], 7500, 0),
        ([(True, 50, 100)], 30_000, 5000),
        ([(True, 0, 0)], 1, 0),
    ],
)
def test_just_enough(known: Any, services: Services, asked: int, rewards: int) -> None:
    """Both shares themselves are enough."""
    assert log(propose(known(services, asked, rewards)), "FastProposed")["seat"] == 0


def test_scores_and_salt_mean_nothing(play: Play) -> None:
    """Where nobody votes there is nothing to hide and nothing to score."""
    opening = play.said.opening(0)
    nonce, block_hash = play.fast_work(0, opening)
    tx = propose(play, 0, replace(opening, scores=(), salt=b"\x00" * 32), nonce)
    assert log(tx, "FastProposed")["blockHash"] == block_hash


def test_freezes_what_the_clock_left(publish: Any) -> None:
    """After a Check that the clock closed, it fixes the inputs, and is bound to them."""
    play = publish(fastBlocks=1).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.CHECK)
    play.check(0, 1, verdicts=play.said.verdicts({1: Verdict.UNAVAILABLE}))
    play.let_pass(Phase.CHECK)
    tx = propose(play)
    assert names(tx) == ["InputsFrozen", "FastProposed"]
    assert log(tx, "InputsFrozen") == {"round": 2, "inputs": 0b101}


def test_after_some_have_sealed(play: Play) -> None:
    """Seals of others do not keep it out: they would have waited for a vote that is not needed."""
    play.seal(1, 2)
    assert log(propose(play), "FastProposed")["seat"] == 0
    assert play.phase == Phase.CHALLENGE


# ---------------------------------------------------------------------- final or voted on


def test_final(play: Play) -> None:
    """One that is not drawn is final after the shortest window."""
    play.propose_fast(0)
    assert (play.phase, play.status["deadline"]) == (Phase.CHALLENGE, play.round["windowFrom"] + MIN_WINDOW)
    play.let_pass(Phase.CHALLENGE)
    assert play.phase == Phase.FINALISE


def test_drawn(play: Play, nick: Any) -> None:
    """One that is drawn gives way to a vote: Seal has its whole window, and the first seal says so."""
    chain.pass_time(300)
    play.propose_fast(0, drawn=True)
    assert (play.phase, play.status["deadline"]) == (Phase.SEAL, play.round["windowFrom"] + WINDOW)
    tx = play.task.seal(1, b"\x07" * 32, {"from": nick})
    assert names(tx) == ["FastVoted", "Sealed"]
    assert log(tx, "FastVoted") == {"round": 2, "seat": 0}
    assert play.round["fast"] == 0
    assert (play.phase, play.status["deadline"]) == (Phase.SEAL, play.round["windowFrom"] + WINDOW)


def test_draw_is_of_the_block_that_holds_it(play: Play) -> None:
    """In its own block nobody knows yet, not even its miner; the next block knows."""
    opening = play.said.opening(0)
    nonce, _ = play.fast_work(0, opening)
    chain.retry(
        lambda: chain.send(play.miners[0], play.task.proposeFast, 0, opening.values(), nonce),
        lambda: chain.newest_hash() % 8 == 0,
    )
    assert play.phase == Phase.CHALLENGE
    chain.mine()
    assert play.phase == Phase.SEAL


def test_no_end_before_the_draw(publish: Any) -> None:
    """However short the window is, nothing is final before it is known."""
    play = publish(fastBlocks=1, minWindow=1).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL)
    with chain.one_block():
        opening = play.said.opening(0)
        chain.post(play.miners[0], play.task.proposeFast, 0, opening.values(), play.fast_work(0, opening)[0])
        chain.post(play.publisher, play.task.finalise, [], 0)
    assert play.round["fast"] == 1
    assert (play.round["id"], play.phase) == (2, Phase.CHALLENGE)


def test_vote_after_the_draw(play: Play) -> None:
    """The vote is as any other: the miner seals and opens too, and the block is one that the vote made."""
    play.propose_fast(0, drawn=True)
    play.seal()
    assert play.phase == Phase.MINE
    play.propose(1)
    play.open()
    assert play.phase == Phase.CHALLENGE
    play.let_pass(Phase.CHALLENGE)
    block = log(play.task.finalise(*play.medians(), {"from": play.publisher}), "RoundFinalised")
    assert (block["seat"], block["accuracy"]) == (1, 8001)
    assert block["medians"] != ()


def test_vote_without_its_miner(play: Play) -> None:
    """When the others had sealed already, nothing more is needed than that Seal ends."""
    play.seal(1, 2)
    play.propose_fast(0, drawn=True)
    assert play.phase == Phase.SEAL
    play.let_pass(Phase.SEAL)
    assert play.phase == Phase.MINE
    play.propose(1)
    play.open()
    assert play.phase == Phase.CHALLENGE


def test_nobody_votes(play: Play) -> None:
    """A drawn block is not final because nobody cares."""
    play.propose_fast(0, drawn=True)
    play.let_pass(Phase.SEAL)
    assert play.phase == Phase.FINALISE
    tx = play.task.finalise([], 0, {"from": play.publisher})
    assert log(tx, "RoundVoided")["counted"] is True
    assert (len(logs(tx, "Struck")), logs(tx, "Slashed")) == (3, [])


def test_drawn_stays_drawn(play: Play, eve: Any) -> None:
    """A bond in the vote after it, against whomever, does not bring the fast block back."""
    play.seal(1, 2)
    play.propose_fast(0, drawn=True)
    play.let_pass(Phase.SEAL)
    play.propose(1)
    play.open()
    chain.send(eve, play.task.commitChallenge, 1, b"\x07" * 32, value=BASE["challengeBond"])
    play.let_pass(Phase.CHALLENGE)
    block = log(play.task.finalise(*play.medians(), {"from": play.publisher}), "RoundFinalised")
    assert block["seat"] == 1


def test_disputed_is_not_drawn_any_more(publish: Any, eve: Any) -> None:
    """A dispute may last longer than the chain remembers: from the first bond on the block stands."""
    play = publish(fastBlocks=1, minWindow=400).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    chain.send(eve, play.task.commitChallenge, 0, b"\x07" * 32, value=BASE["challengeBond"])
    assert play.round["fastBlock"] == 0
    chain.mine(300)
    end = play.round["windowFrom"] + 400 + 6 * BASE["responseWindow"]
    assert (play.phase, play.status["deadline"]) == (Phase.CHALLENGE, end)


def test_too_late_to_look_up(publish: Any) -> None:
    """A chain knows its last 256 blocks: what cannot be looked up any more counts as drawn."""
    play = publish(fastBlocks=1, minWindow=400).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    chain.mine(255)
    assert play.phase == Phase.CHALLENGE
    chain.mine()
    assert (play.phase, play.status["deadline"]) == (Phase.SEAL, play.round["windowFrom"] + WINDOW)


def test_too_late_for_a_vote(publish: Any) -> None:
    """When Seal would be over by then the round is void, and nobody is slashed for having trusted the block."""
    play = publish(fastBlocks=1, minWindow=400, sealWindow=100).until(Phase.COMMIT)
    play.play_round()
    play.until(Phase.SEAL).propose_fast(0)
    chain.mine(256)
    assert play.phase == Phase.FINALISE
    tx = play.task.finalise([], 0, {"from": play.publisher})
    assert log(tx, "RoundVoided")["counted"] is True
    assert (len(logs(tx, "Struck")), logs(tx, "Slashed")) == (3, [])
