"""The parameter tree against the published vectors and a keccak of another origin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sha3
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.learning.keccak import keccak256_blocks
from bcfl_client.learning.tree import leaf_bytes, parameter_root, prove_leaf, verify_leaf

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/aggregation.json").read_text())


def parameters(count: int) -> np.ndarray:
    """The vectors' parameters, by the rule in the file's description."""
    pattern = (2654435761 * np.arange(count, dtype=np.uint64) + np.uint64(40503 * count)) % np.uint64(2**32)
    return pattern.astype(np.uint32).view(np.int32)


@pytest.mark.parametrize("vector", VECTORS["tree"], ids=lambda vector: str(vector["parameters"]))
def test_follows_the_published_vectors(vector: dict) -> None:
    """Root, leaves and proofs of sizes around the borders of leaves and levels; from values and from bytes."""
    count, root = vector["parameters"], bytes.fromhex(vector["root"])
    values = parameters(count)
    assert sha3.keccak_256(values.tobytes()).hexdigest() == vector["data_keccak256"]
    assert parameter_root(values) == parameter_root(values.tobytes()) == root
    for proof in vector["proofs"]:
        leaf, siblings = bytes.fromhex(proof["leaf"]), [bytes.fromhex(sibling) for sibling in proof["siblings"]]
        assert leaf_bytes(values, proof["index"]) == leaf
        assert prove_leaf(values, proof["index"]) == siblings
        assert verify_leaf(root, count, proof["index"], leaf, siblings)


@pytest.mark.parametrize("case", VECTORS["tree_refused"], ids=lambda case: case["why"])
def test_D08_refuses_proof_games(case: dict) -> None:
    """Wrong index, short and long paths, swapped order, inner nodes as leaves, padded tails."""
    siblings = [bytes.fromhex(sibling) for sibling in case["siblings"]]
    leaf = bytes.fromhex(case["leaf"])
    assert not verify_leaf(bytes.fromhex(case["root"]), case["parameters"], case["index"], leaf, siblings)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=135), min_size=1, max_size=20))
def test_hashes_like_another_implementation(messages: list[bytes]) -> None:
    """Any messages of one block, in any number, a multiple of the vector width or not."""
    blocks = np.zeros((len(messages), 136), dtype=np.uint8)
    for block, message in zip(blocks, messages):
        block[: len(message)] = np.frombuffer(message, dtype=np.uint8)
        block[len(message)] = 0x01
        block[-1] |= 0x80
    assert [row.tobytes() for row in keccak256_blocks(blocks)] == [sha3.keccak_256(m).digest() for m in messages]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.data())
def test_every_leaf_proves_and_no_change_does(count: int, data: st.DataObject) -> None:
    """Each leaf of any size verifies; with one bit changed anywhere in the statement it does not."""
    values = parameters(count)
    root = parameter_root(values)
    index = data.draw(st.integers(0, (count - 1) // 32))
    leaf, proof = leaf_bytes(values, index), prove_leaf(values, index)
    assert verify_leaf(root, count, index, leaf, proof)

    def flipped(piece: bytes) -> bytes:
        at = data.draw(st.integers(0, 8 * len(piece) - 1))
        changed = bytearray(piece)
        changed[at // 8] ^= 1 << at % 8
        return bytes(changed)

    assert not verify_leaf(flipped(root), count, index, leaf, proof)
    assert not verify_leaf(root, count, index, flipped(leaf), proof)
    assert not verify_leaf(root, count + 1, index, leaf, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_leaf(root, count, index, leaf, [*proof[:at], flipped(proof[at]), *proof[at + 1 :]])


def test_malformed_statements_are_false_not_errors() -> None:
    """Lengths and numbers that no honest prover sends, as a stranger might."""
    values = parameters(64)
    root, leaf, proof = parameter_root(values), leaf_bytes(values, 0), prove_leaf(values, 0)
    for count, index, piece, path in [
        (0, 0, leaf, proof),
        (-1, 0, leaf, proof),
        (2**40, 0, leaf, proof),
        (64, -1, leaf, proof),
        (64, 2, leaf, proof),
        (64, 0, leaf[:-1], proof),
        (64, 0, b"", proof),
        (64, 0, leaf, [proof[0][:-1]]),
        (64, 0, leaf, []),
    ]:
        assert not verify_leaf(root, count, index, piece, path)


def test_refuses_what_is_no_model() -> None:
    """No parameters, part of one, other types, and leaves that do not exist."""
    for data in (b"", b"123", np.zeros(4, dtype=np.int64), np.zeros((2, 2), dtype=np.int32)):
        with pytest.raises(ValueError, match="parameters"):
            parameter_root(data)
    for index in (-1, 2):
        with pytest.raises(ValueError, match="no leaf"):
            prove_leaf(parameters(64), index)


def test_reads_arrays_however_they_lie_in_memory() -> None:
    """A view with strides has the root of its values."""
    values = parameters(200)
    assert parameter_root(values[::2]) == parameter_root(values[::2].copy())
