"""Proof of work: the search finds what the contract accepts, and nothing else."""

from __future__ import annotations

from bcfl_client.chain.digests import target, work_digest
from bcfl_client.roles.mining import search_nonce

HEADER = bytes(range(32))


def test_nonce_is_the_first_that_meets_the_difficulty() -> None:
    """Against the digest computed one by one with another implementation of Keccak."""
    for difficulty in (1, 2, 1000, 5000):
        nonce, tried = search_nonce(HEADER, difficulty, lambda: False)
        limit = target(difficulty)
        expected = next(n for n in range(10**6) if int.from_bytes(work_digest(HEADER, n), "big") <= limit)
        assert nonce == expected and tried == expected + 1


def test_search_stops_when_told() -> None:
    """Somebody else's block ends the search."""
    looks = iter([False, False, True])
    nonce, tried = search_nonce(HEADER, 2**64, lambda: next(looks))
    assert nonce is None and tried == 2 * 4096


def test_another_header_needs_another_nonce() -> None:
    """A nonce found for one sender, round or result is worth nothing for another: all are in the header (D01, D02)."""
    nonce, _ = search_nonce(HEADER, 5000, lambda: False)
    assert nonce is not None
    assert int.from_bytes(work_digest(HEADER[::-1], nonce), "big") > target(5000)


def test_search_goes_on_where_it_stopped() -> None:
    """From a later nonce on it finds the next one; the count is that of this search."""
    first, _ = search_nonce(HEADER, 1000, lambda: False)
    assert first is not None
    second, tried = search_nonce(HEADER, 1000, lambda: False, first + 1)
    assert second is not None and second > first and tried == second - first


def test_a_fork_must_be_lower_than_its_rival() -> None:
    """Under the rules that take the lowest hash, a block that is not lower is worth nothing."""
    first, _ = search_nonce(HEADER, 1000, lambda: False)
    assert first is not None
    rival = int.from_bytes(work_digest(HEADER, first), "big")
    nonce, _ = search_nonce(HEADER, 1000, lambda: False, below=rival)
    assert nonce is not None
    assert int.from_bytes(work_digest(HEADER, nonce), "big") < rival <= target(1000)
