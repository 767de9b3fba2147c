"""What watchers do to a result in the tests: claims shown, questions, answers."""

from __future__ import annotations

from dataclasses import dataclass

from bcfl_client.aggregation import proof_order
from bcfl_client.chain.digests import challenge_digest, claim_id, question_digest
from bcfl_client.disputes import answer_parts
from bcfl_client.learning.tree import LEAF_PARAMETERS, ParameterTree
from bcfl_client.types import Opening, bits

from .stage import Stage, Update

__all__ = ["Claim", "Question", "answer", "ask", "claim", "refute", "show"]


@dataclass(frozen=True)
class Claim:
    """That the result of miner `seat` is wrong at `coordinate`, by dev account `watcher`."""

    watcher: int
    seat: int
    coordinate: int
    salt: bytes
    id: bytes
    opening: Opening


@dataclass(frozen=True)
class Question:
    """For what is below a node of the result of miner `seat`."""

    watcher: int
    seat: int
    height: int
    index: int
    digest: bytes
    opening: Opening


def claim(stage: Stage, watcher: int, seat: int, coordinate: int, salt: int = 1) -> Claim:
    """Commits to a proof."""
    actor, salt_bytes = stage.actor(watcher), salt.to_bytes(32, "big")
    place = stage.task.place(stage.round_id, 0, actor.sender.address)
    digest = challenge_digest(place, seat, coordinate, salt_bytes)
    actor.commit_challenge(seat, digest)
    own = claim_id(seat, digest, actor.sender.address)
    return Claim(watcher, seat, coordinate, salt_bytes, own, stage.openings[seat])


def show(stage: Stage, one: Claim) -> None:
    """Shows the proof; a right coordinate is refused."""
    root, digest = one.opening.root, one.opening.content_digest
    evidence = _evidence(stage, one.coordinate, stage.known[root])
    stage.actor(one.watcher).challenge(one.seat, one.coordinate, one.salt, digest, evidence)


def refute(stage: Stage, watcher: int, seat: int, coordinate: int) -> Claim:
    """Commits and shows."""
    one = claim(stage, watcher, seat, coordinate)
    show(stage, one)
    return one


def ask(stage: Stage, watcher: int, seat: int, height: int | None = None, index: int = 0) -> Question:
    """Asks for a node; without a height for the top, which goes by the root's name."""
    actor, opening = stage.actor(watcher), stage.openings[seat]
    tree = ParameterTree(stage.known[opening.root])
    at = tree.height if height is None else height
    digest = question_digest(stage.task.place(stage.round_id, 0, actor.sender.address), seat, at, index)
    node, path = opening.root if height is None else tree.node(at, index), tree.path(at, index)
    actor.question(seat, opening.root, opening.content_digest, at, index, node, path)
    return Question(watcher, seat, at, index, digest, opening)


def answer(stage: Stage, one: Question, by: int = 19) -> None:
    """Whoever has the bytes answers."""
    tree = ParameterTree(stage.known[one.opening.root])
    stage.actor(by).answer(one.digest, answer_parts(tree, one.height, one.index))


def _evidence(stage: Stage, coordinate: int, result: Update) -> bytes:
    """The coordinate's leaf and path: of each input, in the rule's order, and of the result. Right or wrong."""
    index = coordinate // LEAF_PARAMETERS
    inputs, trainers = bits(stage.task.inputs()), stage.task.trainers()
    entries = []
    if coordinate < len(stage.base):
        values = [int(stage.update(i)[coordinate]) for i in inputs]
        for i in proof_order(stage.task.terms["aggregationRule"], values):
            seat = inputs[i]
            entries += [bytes.fromhex(trainers[seat].account[2:]), *_leaf(stage.update(seat), index)]
    return b"".join([*entries, *_leaf(result, index)])


def _leaf(values: Update, index: int) -> list[bytes]:
    tree = ParameterTree(values)
    return [tree.leaf(index), *tree.path(0, index)]
