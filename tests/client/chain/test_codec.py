"""ABI of the real contracts: calls, errors and logs there and back; damaged answers fail loudly."""

from __future__ import annotations

import pytest
from eth_abi import encode

from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.digests import Place, seal_digest, target, update_digest
from bcfl_client.errors import ChainError
from bcfl_client.types import Opening, UpdateOpening, pack_scores, pack_verdicts, unpack_scores

CODEC = artifact("LearningTask").codec


def test_error_by_name_and_values() -> None:
    data = next(item.selector for item in CODEC._errors.values() if item.entry["name"] == "LearningTask_WrongPhase")
    error = CODEC.reverted(data + encode(["uint8", "uint8"], [10, 3]), "commit")
    assert (error.name, error.arguments) == ("LearningTask_WrongPhase", (10, 3))
    assert str(error) == "commit: the contract refused: LearningTask_WrongPhase(10, 3)"


def test_unknown_error_is_shown_raw() -> None:
    assert "0xdeadbeef" in str(CODEC.reverted(bytes.fromhex("deadbeef")))


def test_damaged_answer() -> None:
    with pytest.raises(ChainError, match="not what this contract returns"):
        CODEC.result("status", b"\x01" * 31)


def test_damaged_log() -> None:
    log = {"topics": [CODEC.topic("Committed")], "data": "0x", "address": "0x" + "00" * 20}
    with pytest.raises(ChainError, match="damaged log"):
        CODEC.event(log)


def test_foreign_log_is_not_ours() -> None:
    assert CODEC.event({"topics": ["0x" + "11" * 32]}) is None


def test_digests_bind_their_place() -> None:
    """Every part of the place changes the digest: nothing fits another chain, task, round, attempt or sender."""
    place = Place(1, "0x" + "11" * 20, 2, 0, "0x" + "22" * 20)
    others = [
        Place(2, place.task, 2, 0, place.sender),
        Place(1, "0x" + "12" * 20, 2, 0, place.sender),
        Place(1, place.task, 3, 0, place.sender),
        Place(1, place.task, 2, 1, place.sender),
        place.of("0x" + "23" * 20),
    ]
    opening = Opening(b"r" * 32, b"c" * 32, 9000, (1,), b"s" * 32)
    updates = {update_digest(p, UpdateOpening(b"r" * 32, b"c" * 32, 5, 6, b"s" * 32)) for p in [place, *others]}
    seals = {seal_digest(p, opening) for p in [place, *others]}
    assert len(updates) == len(seals) == 6 and not updates & seals


def test_packing() -> None:
    """Sixteen scores to a word and two bits per verdict, from the low end."""
    scores = {0: 1, 15: 65_535, 16: 7}
    words = pack_scores(scores, 17)
    assert words == (1 | 65_535 << 240, 7)
    assert unpack_scores(words, 17) == [1, *[0] * 14, 65_535, 7]
    assert pack_verdicts({0: 1, 2: 3}) == 0b110001  # type: ignore[dict-item]
    assert target(1) == 2**256 - 1
