"""Fork rules: what each prefers, ties by the lowest hash, no influence of the order of the candidates."""

from __future__ import annotations

from itertools import permutations

import pytest

from bcfl_client.fork_choice import Candidate, ForkRule, choose


def block(seat: int, order: int, reputation: int, block_hash: int, distance: int = 0) -> Candidate:
    return Candidate(seat, order, reputation, block_hash.to_bytes(32, "big"), distance)


FIRST = block(0, 1, 100, 2**255)
TRUSTED = block(1, 2, 900, 2**248)
LOWEST = block(2, 3, 500, 255)  # compared as a number: the last byte is the largest of the three
ALL = [FIRST, TRUSTED, LOWEST]


@pytest.mark.parametrize(
    ("rule", "expected"), [(ForkRule.LONGEST, FIRST), (ForkRule.REPUTATION, TRUSTED), (ForkRule.DISTANCE, LOWEST)]
)
def test_each_rule_by_hand(rule: ForkRule, expected: Candidate) -> None:
    for candidates in permutations(ALL):
        assert choose(rule, candidates) is expected
        assert choose(int(rule), iter(candidates)) is expected


def test_equal_reputations_go_to_the_lower_hash() -> None:
    high, low, weak = block(0, 1, 7, 300), block(1, 2, 7, 299), block(2, 3, 6, 1)
    for candidates in permutations([high, low, weak]):
        assert choose(ForkRule.REPUTATION, candidates) is low


def test_distance_comes_before_the_hash() -> None:
    """Off-chain, in a simulation, blocks may differ from the truth."""
    near, far, same = block(0, 3, 0, 9, 5), block(1, 1, 9, 1, 6), block(2, 2, 0, 8, 5)
    for candidates in permutations([near, far, same]):
        assert choose(ForkRule.DISTANCE, candidates) is same


def test_one_candidate_wins_under_every_rule() -> None:
    assert [choose(rule, [FIRST]) for rule in ForkRule] == [FIRST] * 3


def test_rules_have_the_contracts_numbers() -> None:
    assert [(rule.name, int(rule)) for rule in ForkRule] == [("LONGEST", 0), ("REPUTATION", 1), ("DISTANCE", 2)]


@pytest.mark.parametrize("rule", ForkRule)
def test_refuses_no_candidates(rule: ForkRule) -> None:
    with pytest.raises(ValueError, match="no block to choose from"):
        choose(rule, [])


def test_refuses_an_unknown_rule() -> None:
    with pytest.raises(ValueError, match="3 is not a valid ForkRule"):
        choose(3, ALL)
