"""`TaskTransitions` and `LearningTask` are code for tasks: called directly they refuse."""

from __future__ import annotations

from typing import Any

from ..support.errors import reverts
from ..support.kinds import Phase


def test_select(transitions: Any, eve: Any) -> None:
    """Without a task there is nothing to select for."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.SELECT):
        transitions.select({"from": eve})


def test_cancel(transitions: Any, eve: Any) -> None:
    """Without a task there is no publisher."""
    with reverts("LearningTask_NotPublisher", eve):
        transitions.cancel({"from": eve})


def test_finalise(transitions: Any, eve: Any) -> None:
    """Without a task there is no round."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.FINALISE):
        transitions.finalise([], 0, {"from": eve})


def test_implementation(implementation: Any, eve: Any) -> None:
    """The code that tasks share takes neither bids nor a start."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.BIDDING):
        implementation.bidAsMiner(1, {"from": eve})
    with reverts("LearningTask_NotFactory", eve):
        implementation.initialise({"from": eve})


def test_linked(implementation: Any, transitions: Any) -> None:
    """Tasks run the transitions that they were deployed with."""
    assert implementation.transitions() == transitions
