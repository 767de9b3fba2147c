"""Which result is a round's: the contract's rule, against a slower reading of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.roles.results import Result, carriers, guilty, truth
from bcfl_client.types import Round, bits

A, B, C = (Result(bytes([i]) * 32, bytes([i]) * 32) for i in (1, 2, 3))
NOTHING = Round(**dict.fromkeys(Round.__dataclass_fields__, 0))  # type: ignore[arg-type]


def now(**marks: int) -> Round:
    return replace(NOTHING, **marks)


def contract_truth(r: Round, results: dict[int, Result]) -> tuple[bytes, int]:
    """TaskBase._guilty, _standingResults and _truth, line by line."""
    result = [results[m].id if m in results else bytes(32) for m in range(16)]
    out = r.refuted
    for m in range(16):
        if not r.refuted >> m & 1:
            continue
        for k in range(16):
            if r.openers >> k & 1 and result[k] == result[m]:
                out |= 1 << k
    standing = [result[m] if r.openers >> m & 1 and not out >> m & 1 else bytes(32) for m in range(16)]
    found, votes = bytes(32), 0
    for one in standing:
        if one in (bytes(32), found):
            continue
        n = standing.count(one)
        if n > votes or (n == votes and one < found):
            found, votes = one, n
    if not r.refuted & r.openers and votes <= len(bits(r.active_miners)) // 2:
        return bytes(32), 0
    return found, votes


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_same_truth_as_the_contract(data: st.DataObject) -> None:
    """Any number of miners, openers and refutations, also of a fast block whose miner opened nothing."""
    miners = data.draw(st.integers(1, 16))
    active = data.draw(st.integers(1, 2**miners - 1))
    openers = data.draw(st.integers(0, 2**miners - 1)) & active
    results = {m: data.draw(st.sampled_from([A, B, C])) for m in bits(openers)}
    refuted = data.draw(st.integers(0, 2**miners - 1)) & openers if data.draw(st.booleans()) else 0
    if (fast := data.draw(st.sampled_from([None, *range(miners)]))) is not None and not openers >> fast & 1:
        results[fast], refuted = data.draw(st.sampled_from([A, B, C])), refuted | 1 << fast
    r = now(active_miners=active, openers=openers, refuted=refuted)
    expected, votes = contract_truth(r, results)
    found, counted = truth(r, results)
    assert ((bytes(32) if found is None else found.id), counted) == (expected, votes)


def test_a_majority_is_of_the_active_miners_not_of_the_openers() -> None:
    r = now(active_miners=0b1111, openers=0b0011)
    assert truth(r, {0: A, 1: A}) == (None, 0)
    assert truth(replace(r, openers=0b0111), {0: A, 1: A, 2: A}) == (A, 3)
    assert truth(now(active_miners=0b111), {}) == (None, 0)


def test_once_a_result_is_refuted_most_of_the_others_decide() -> None:
    """All who opened the refuted result are out; a single honest opener is enough, and ties go to the lower id."""
    r = now(active_miners=0b11111, openers=0b11111, refuted=0b00001)
    results = {0: A, 1: A, 2: A, 3: B, 4: C}
    assert guilty(r, results) == {0, 1, 2}
    assert truth(r, results) == (min(B, C, key=lambda one: one.id), 1)
    assert truth(replace(r, refuted=0b01001), results) == (C, 1)
    assert truth(replace(r, refuted=0b11001), results) == (None, 0)


def test_a_block_carries_what_its_miner_opened() -> None:
    r: Any = now(proposers=0b110, openers=0b111)
    assert carriers(r, {0: A, 1: A, 2: B}, A) == [1]
