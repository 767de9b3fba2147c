"""Questions about a withheld tree: from the root alone down to a leaf that refutes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.disputes import Descent, LeafProof, answer_parts, questions_needed
from bcfl_client.learning.tree import ParameterTree, leaf_hash, node_hash, root_above, root_hash, tree_height


def tree_of(count: int, seed: int) -> tuple[np.ndarray, ParameterTree]:
    values = np.random.default_rng(seed).integers(-(2**31), 2**31, count, dtype=np.int64).astype(np.int32)
    return values, ParameterTree(values)


def fold(height: int, parts: bytes) -> bytes:
    """ParameterTree.fold of the contract."""
    size = 128 if height <= 6 else 32
    pieces = [parts[at : at + size] for at in range(0, len(parts), size)]
    nodes = [leaf_hash(piece) for piece in pieces] if height <= 6 else pieces
    while len(nodes) > 1:
        pairs = [node_hash(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
        nodes = pairs + nodes[len(nodes) // 2 * 2 :]
    return nodes[0]


def interrogate(own: ParameterTree, withheld: ParameterTree) -> tuple[int, LeafProof, int]:
    """Asks until a leaf is found; checks every question and answer as the contract does. Returns coordinate, leaf and
    number of questions."""
    count, descent, asked = own.count, Descent(own, withheld.root), 0
    while (question := descent.question()) is not None:
        assert descent.proof() is None
        asked += 1
        if question.height == own.height:
            assert question.node == withheld.root and question.path == ()
        else:
            above = root_above(count, question.height, question.index, question.node, question.path)
            assert above == withheld.root
        parts = answer_parts(withheld, question.height, question.index)
        node = fold(question.height, parts)
        assert (root_hash(count, node) if question.height == own.height else node) == question.node
        assert descent.take(question.height, question.index, parts)
    found = descent.proof()
    assert found is not None
    return *found, asked


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.integers(1, 200), st.integers(201, 300_000)), st.integers(0, 2**32 - 1))
def test_finds_the_first_wrong_coordinate(count: int, seed: int) -> None:
    """Models of any size, wrong at one or several places: the first of them, in as few questions as the height asks."""
    rng = np.random.default_rng(seed)
    values, own = tree_of(count, seed)
    wrong = values.copy()
    places = rng.choice(count, size=min(count, int(rng.integers(1, 4))), replace=False)
    wrong[places] ^= 1
    withheld = ParameterTree(wrong)
    coordinate, leaf, asked = interrogate(own, withheld)
    assert coordinate == min(places)
    assert leaf == LeafProof.of(withheld, coordinate)
    assert asked == questions_needed(count)


@pytest.mark.parametrize("leaves", [1, 2, 3, 63, 64, 65, 66, 127, 128, 129, 4095, 4096, 4097, 4161])
def test_borders_of_answers(leaves: int) -> None:
    """The last leaf of trees whose last node moves up by one or several levels, and of full ones."""
    values, own = tree_of(32 * leaves - 1, leaves)
    wrong = values.copy()
    wrong[-1] ^= 1
    coordinate, leaf, asked = interrogate(own, ParameterTree(wrong))
    assert coordinate == len(values) - 1
    assert root_above(len(values), 0, leaves - 1, leaf_hash(leaf.leaf), leaf.path) == ParameterTree(wrong).root
    assert asked == questions_needed(len(values))


def test_largest_model_takes_four_questions() -> None:
    assert tree_height(2**28) == 23 and questions_needed(2**28) == 4
    assert [questions_needed(32 * leaves) for leaves in (1, 64, 65, 4096, 4097)] == [1, 1, 2, 2, 3]


def test_finds_a_wrong_padding() -> None:
    """Nothing but the zeros after the last parameter is wrong: they come to light in the leaf."""
    values, own = tree_of(40, 1)
    padded = np.zeros(64, dtype=np.int32)
    padded[:40] = values
    padded[63] = 1
    leaves = padded.tobytes()
    root = root_hash(40, node_hash(leaf_hash(leaves[:128]), leaf_hash(leaves[128:])))
    descent = Descent(own, root)
    assert descent.take(1, 0, leaves)
    found = descent.proof()
    assert found is not None and found[0] == 63
    assert root_above(40, 0, 1, leaf_hash(found[1].leaf), found[1].path) == root


def test_takes_only_what_belongs_to_the_tree() -> None:
    """Other bytes, other lengths and nodes whose parents are not known yet."""
    values, own = tree_of(70_000, 2)
    wrong = values.copy()
    wrong[5] ^= 1
    withheld = ParameterTree(wrong)
    descent = Descent(own, withheld.root)
    assert own.height == 12
    lower = answer_parts(withheld, 6, 0)
    assert not descent.take(6, 0, lower)
    top = answer_parts(withheld, 12, 0)
    assert not descent.take(12, 0, top[:-1]) and not descent.take(12, 0, answer_parts(own, 12, 0))
    assert descent.take(12, 0, top) and descent.take(12, 0, top)
    assert not descent.take(6, 1, lower)
    assert descent.take(6, 0, lower)
    assert descent.question() is None
    for height, index in [(13, 0), (12, 1), (-1, 0), (6, -1)]:
        with pytest.raises(ValueError, match="no node"):
            answer_parts(own, height, index)


def test_equal_trees_have_nothing_to_show() -> None:
    _, own = tree_of(40, 3)
    descent = Descent(own, own.root)
    assert descent.take(1, 0, answer_parts(own, 1, 0))
    with pytest.raises(ValueError, match="do not differ"):
        descent.proof()
