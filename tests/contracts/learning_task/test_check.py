"""`LearningTask.check`: the miners' verdicts, from which the round's inputs follow."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts
from ..support.events import log, logs, names
from ..support.kinds import Phase, Verdict
from ..support.play import Play


@pytest.fixture(scope="module")
def play(module_isolation: None, publish: Any) -> Play:
    return publish().until(Phase.CHECK)


# ---------------------------------------------------------------------- reverts


def test_while_reveal_runs(publish: Any, mia: Any) -> None:
    play = publish().until(Phase.REVEAL)
    with reverts("LearningTask_WrongPhase", Phase.REVEAL, Phase.CHECK):
        play.task.check(0, play.said.verdicts(), {"from": mia})


def test_after_the_deadline(play: Play, mia: Any) -> None:
    chain.next_at(play.status["deadline"])
    with reverts("LearningTask_WrongPhase", Phase.SEAL, Phase.CHECK):
        play.task.check(0, play.said.verdicts(), {"from": mia})


def test_after_all_have_checked(play: Play, mia: Any) -> None:
    """Inputs are frozen then: an update cannot be revived, nor dropped, later in the round."""
    play.check()
    with reverts("LearningTask_WrongPhase", Phase.SEAL, Phase.CHECK):
        play.task.check(0, play.said.verdicts({0: Verdict.UNAVAILABLE}), {"from": mia})


def test_not_your_seat(play: Play, nick: Any) -> None:
    with reverts("LearningTask_NotYourSeat", nick, 0):
        play.task.check(0, play.said.verdicts(), {"from": nick})


def test_no_such_seat(play: Play, mia: Any) -> None:
    with reverts("LearningTask_NotYourSeat", mia, 3):
        play.task.check(3, play.said.verdicts(), {"from": mia})


def test_struck_out(publish: Any, olga: Any) -> None:
    """Who has too many strikes has no part any more."""
    play = publish(maxStrikes=1).until(Phase.SEAL)
    play.seal(0, 1)
    play.let_pass(Phase.SEAL)
    play.play_round()
    play.until(Phase.CHECK)
    with reverts("LearningTask_StruckOut", 2):
        play.task.check(2, play.said.verdicts(), {"from": olga})


# ---------------------------------------------------------------------- successes


def test_check(play: Play, nick: Any) -> None:
    said = play.said.verdicts({2: Verdict.COPY})
    tx = play.task.check(1, said, {"from": nick})
    assert names(tx) == ["Checked"]
    assert log(tx, "Checked") == {"round": 1, "seat": 1, "verdicts": said}
    assert play.task.miner(1)["verdicts"] == said
    assert play.round["checkers"] == 0b010
    assert play.task.inputs() == 0b111
    assert play.phase == Phase.CHECK


def test_changed_mind(play: Play, mia: Any) -> None:
    """A trainer that serves again is heard until the phase closes: the last verdict counts."""
    play.check(0, 1, verdicts=play.said.verdicts({0: Verdict.UNAVAILABLE}))
    assert play.task.inputs() == 0b110
    play.task.check(0, play.said.verdicts(), {"from": mia})
    assert play.round["checkers"] == 0b011
    assert play.task.inputs() == 0b111


def test_last_one_freezes(play: Play, olga: Any) -> None:
    """When all have spoken the inputs are fixed and Seal opens."""
    play.check(0, 1)
    tx = play.task.check(2, play.said.verdicts(), {"from": olga})
    assert log(tx, "InputsFrozen") == {"round": 1, "inputs": 0b111}
    current = play.round
    assert current["checkClosed"] == tx.timestamp
    assert (current["inputs"], current["inputCount"]) == (0b111, 3)
    assert play.phase == Phase.SEAL


@pytest.mark.parametrize(
    ("rejections", "inputs"),
    [
        ([Verdict.UNAVAILABLE], 0b111),
        ([Verdict.UNAVAILABLE, Verdict.UNAVAILABLE], 0b110),
        ([Verdict.UNAVAILABLE, Verdict.COPY], 0b110),  # different reasons add up
        ([Verdict.COPY, Verdict.COPY, Verdict.COPY], 0b110),
        ([Verdict.NONE, Verdict.NONE, Verdict.NONE], 0b111),  # silence rejects nobody
    ],
)
def test_strict_majority_rejects(play: Play, rejections: list[Verdict], inputs: int) -> None:
    """It takes more than half of the selected miners to drop an update."""
    for seat, verdict in enumerate(rejections):
        play.check(seat, verdicts=play.said.verdicts({0: verdict}))
    assert play.task.inputs() == inputs


def test_half_is_no_majority(publish: Any) -> None:
    """One of two miners rejects nothing."""
    play = publish()
    play.miners = play.miners[:2]
    play.until(Phase.CHECK)
    play.check(0, verdicts=play.said.verdicts({0: Verdict.COPY}))
    play.check(1)
    assert play.task.inputs() == 0b111


def test_absent_miners_count(publish: Any) -> None:
    """The majority is one of all selected miners, not of those who speak."""
    play = publish().until(Phase.CHECK)
    play.check(0, verdicts=play.said.verdicts({0: Verdict.COPY}))
    play.let_pass(Phase.CHECK)
    assert play.phase == Phase.SEAL
    assert play.task.inputs() == 0b111


def test_nobody_checks(play: Play) -> None:
    """At the deadline all that was revealed is in: stalling takes nothing from the trainers."""
    play.let_pass(Phase.CHECK)
    assert play.phase == Phase.SEAL
    assert play.task.inputs() == 0b111


def test_too_few_inputs_left(play: Play, olga: Any) -> None:
    """Without the least updates the round has no block."""
    condemned = play.said.verdicts({0: Verdict.COPY, 1: Verdict.COPY})
    play.check(0, 1, verdicts=condemned)
    assert play.phase == Phase.CHECK
    tx = play.task.check(2, play.said.verdicts(), {"from": olga})
    assert log(tx, "InputsFrozen")["inputs"] == 0b100
    assert play.phase == Phase.FINALISE


def test_no_say_on_oneself(publish: Any, carol: Any, mia: Any, nick: Any) -> None:
    """A miner's verdict on its own update is not counted."""
    play = publish()
    play.miners = [mia, nick, carol]  # the trainer on seat 2 mines on seat 2
    play.until(Phase.CHECK)
    play.check(0, 2, verdicts=play.said.verdicts({0: Verdict.COPY, 2: Verdict.COPY}))
    assert play.task.inputs() == 0b110
    play.check(1, verdicts=play.said.verdicts({2: Verdict.COPY}))
    assert play.task.inputs() == 0b010


def test_verdicts_on_nobody(play: Play, mia: Any) -> None:
    """Bits beyond the trainers' seats mean nothing."""
    tx = play.task.check(0, 2**256 - 1, {"from": mia})
    assert len(logs(tx, "Checked")) == 1
    assert play.task.inputs() == 0b111
