"""`LearningTask.seal`: each miner's own result, hidden."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.errors import reverts
from ..support.events import log, names
from ..support.kinds import Phase, Verdict
from ..support.play import Play

DIGEST = b"\x07" * 32


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish().until(Phase.SEAL)


# ---------------------------------------------------------------------- reverts


def test_while_check_runs(publish: Any, mia: Any) -> None:
    play = publish().until(Phase.CHECK)
    with reverts("LearningTask_WrongPhase", Phase.CHECK, Phase.SEAL):
        play.task.seal(0, DIGEST, {"from": mia})


def test_after_the_deadline(play: Play, mia: Any) -> None:
    play.seal(1)
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.MINE, Phase.SEAL):
        play.task.seal(0, DIGEST, {"from": mia})


def test_not_your_seat(play: Play, nick: Any) -> None:
    with reverts("LearningTask_NotYourSeat", nick, 0):
        play.task.seal(0, DIGEST, {"from": nick})


def test_no_such_seat(play: Play, mia: Any) -> None:
    with reverts("LearningTask_NotYourSeat", mia, 3):
        play.task.seal(3, DIGEST, {"from": mia})


def test_struck_out(publish: Any, olga: Any) -> None:
    play = publish(maxStrikes=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.SEAL)
    with reverts("LearningTask_StruckOut", 2):
        play.task.seal(2, DIGEST, {"from": olga})


def test_empty(play: Play, mia: Any) -> None:
    with reverts("LearningTask_EmptyDigest"):
        play.task.seal(0, b"\x00" * 32, {"from": mia})


def test_twice(play: Play, mia: Any) -> None:
    """One seal per round; it cannot be replaced."""
    play.task.seal(0, DIGEST, {"from": mia})
    with reverts("LearningTask_AlreadySealed", 0):
        play.task.seal(0, b"\x08" * 32, {"from": mia})


# ---------------------------------------------------------------------- successes


def test_seal(play: Play, nick: Any) -> None:
    tx = play.task.seal(1, DIGEST, {"from": nick})
    assert names(tx) == ["Sealed"]
    assert log(tx, "Sealed") == {"round": 1, "seat": 1, "digest": DIGEST}
    assert bytes(play.task.miner(1)["seal"]) == DIGEST
    assert play.round["sealers"] == 0b010
    assert play.phase == Phase.SEAL


def test_digest_of_all_seals(play: Play, mia: Any, nick: Any, olga: Any) -> None:
    """The work will be bound to all seals, in the order of their arrival."""
    order = [(2, olga, b"\x0a" * 32), (0, mia, b"\x0b" * 32), (1, nick, b"\x0c" * 32)]
    for seat, who, digest in order:
        play.task.seal(seat, digest, {"from": who})
    assert bytes(play.status["sealsDigest"]) == digests.seals([(seat, digest) for seat, _, digest in order])


def test_last_one_closes(play: Play, mia: Any) -> None:
    play.seal(1, 2)
    tx = play.task.seal(0, DIGEST, {"from": mia})
    assert play.round["sealClosed"] == tx.timestamp
    assert play.phase == Phase.MINE


def test_deadline_with_one_seal(play: Play) -> None:
    """One seal is enough for the round to go on."""
    play.seal(2)
    play.let_pass(Phase.SEAL)
    assert play.phase == Phase.MINE


def test_deadline_without_seals(play: Play) -> None:
    """Without any seal the round has no block."""
    play.let_pass(Phase.SEAL)
    assert play.phase == Phase.FINALISE


def test_freezes_what_the_clock_left(publish: Any, mia: Any, nick: Any) -> None:
    """After a Check that the clock closed, the first seal fixes the inputs."""
    play = publish().until(Phase.CHECK)
    play.check(0, 1, verdicts=play.said.verdicts({1: Verdict.UNAVAILABLE}))
    play.let_pass(Phase.CHECK)
    assert play.round["inputCount"] == 0

    tx = play.task.seal(0, DIGEST, {"from": mia})
    assert log(tx, "InputsFrozen") == {"round": 1, "inputs": 0b101}
    assert (play.round["inputs"], play.round["inputCount"]) == (0b101, 2)
    assert names(play.task.seal(1, DIGEST, {"from": nick})) == ["Sealed"]
