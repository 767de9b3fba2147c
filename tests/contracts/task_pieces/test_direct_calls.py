"""The pieces of a task's code, and `LearningTask` itself, are code for tasks: called directly they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.errors import reverts
from ..support.kinds import Phase

DIGEST = b"\x07" * 32
OPENING = (DIGEST, DIGEST, 0, [], DIGEST)


def test_initialise(bidding: Any, eve: Any) -> None:
    """Without a task there is no factory."""
    with reverts("LearningTask_NotFactory", eve):
        bidding.initialise({"from": eve})


@pytest.mark.parametrize(("bid", "values"), [("bidAsTrainer", (100, 1, 1)), ("bidAsMiner", (1,))])
def test_bid(bidding: Any, eve: Any, bid: str, values: tuple[int, ...]) -> None:
    """Without a task there is nothing to bid for."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.BIDDING):
        getattr(bidding, bid)(*values, {"from": eve})


def test_select(bidding: Any, eve: Any) -> None:
    """Nor to select for."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.SELECT):
        bidding.select({"from": eve})


def test_cancel(bidding: Any, eve: Any) -> None:
    """Without a task there is no publisher."""
    with reverts("LearningTask_NotPublisher", eve):
        bidding.cancel({"from": eve})


@pytest.mark.parametrize(
    ("step", "values", "phase"),
    [
        ("check", (0, 0), Phase.CHECK),
        ("seal", (0, DIGEST), Phase.SEAL),
        ("proposeFast", (0, OPENING, 0), Phase.SEAL),
        ("propose", (0, OPENING, 0), Phase.MINE),
        ("open", (0, OPENING, [], 0), Phase.OPEN),
        ("commitChallenge", (0, DIGEST), Phase.CHALLENGE),
        ("question", (0, DIGEST, DIGEST, 0, 0, DIGEST, []), Phase.CHALLENGE),
    ],
)
def test_block(blocks: Any, eve: Any, step: str, values: tuple[Any, ...], phase: Phase) -> None:
    """Without a task there is no round: no block, and nothing against it."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, phase):
        getattr(blocks, step)(*values, {"from": eve})


@pytest.mark.parametrize(("step", "values"), [("reclaim", ()), ("answer", (b"",)), ("expire", ())])
def test_claim(blocks: Any, eve: Any, step: str, values: tuple[Any, ...]) -> None:
    """Nor are there claims."""
    with reverts("LearningTask_NoClaim", DIGEST):
        getattr(blocks, step)(DIGEST, *values, {"from": eve})


def test_challenge(blocks: Any, eve: Any) -> None:
    """Not even of one's own."""
    place = digests.Place(chain.chain_id(), blocks.address, 0, 0, eve.address)
    claim = digests.claim(0, digests.challenge(place, 0, 0, DIGEST), eve)
    with reverts("LearningTask_NoClaim", claim):
        blocks.challenge(0, 0, DIGEST, DIGEST, b"", {"from": eve})


def test_finalise(settlement: Any, eve: Any) -> None:
    """Nor is there a round to end."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.FINALISE):
        settlement.finalise([], 0, {"from": eve})


def test_implementation(implementation: Any, eve: Any) -> None:
    """The code that tasks share takes neither bids nor a start."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, Phase.BIDDING):
        implementation.bidAsMiner(1, {"from": eve})
    with reverts("LearningTask_NotFactory", eve):
        implementation.initialise({"from": eve})


@pytest.mark.parametrize(
    ("step", "values", "phase"),
    [
        ("commit", (DIGEST,), Phase.COMMIT),
        ("commitBatch", ([],), Phase.COMMIT),
        ("reveal", (DIGEST, DIGEST, 1, 1, DIGEST), Phase.REVEAL),
        ("revealBatch", ([],), Phase.REVEAL),
    ],
)
def test_update(implementation: Any, eve: Any, step: str, values: tuple[Any, ...], phase: Phase) -> None:
    """Nor updates."""
    with reverts("LearningTask_WrongPhase", Phase.CLOSED, phase):
        getattr(implementation, step)(*values, {"from": eve})


def test_linked(implementation: Any, bidding: Any, blocks: Any, settlement: Any) -> None:
    """Tasks run the pieces that they were deployed with."""
    assert implementation.bidding() == bidding
    assert implementation.blocks() == blocks
    assert implementation.settlement() == settlement
