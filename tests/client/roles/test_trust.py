"""Who is trusted: the contract's rule on n, m, s and t."""

from __future__ import annotations

import pytest

from bcfl_client.roles.trust import MinerRecord, is_trusted


@pytest.mark.parametrize(
    ("record", "miners", "blocks", "rewards", "trusted"),
    [
        (MinerRecord(1, 3, 10, 30), 3, 10_000, 3000, True),  # an even part of the blocks, a third of the fees
        (MinerRecord(1, 4, 10, 30), 3, 10_000, 3000, False),  # fewer blocks than an even part
        (MinerRecord(1, 4, 10, 30), 3, 7500, 3000, True),  # exactly the share that is asked for
        (MinerRecord(1, 3, 2999, 10_000), 3, 10_000, 3000, False),
        (MinerRecord(1, 3, 3000, 10_000), 3, 10_000, 3000, True),
        (MinerRecord(9, 9, 9, 9), 3, 0, 0, False),  # the task has no fast path
        (MinerRecord(0, 0, 0, 0), 3, 1, 0, False),  # unknown
        (MinerRecord(1, 1, 0, 0), 3, 1, 0, True),  # works for nothing, and no fees are asked for
        (MinerRecord(1, 1, 0, 0), 3, 1, 1, False),
    ],
)
def test_trust(record: MinerRecord, miners: int, blocks: int, rewards: int, trusted: bool) -> None:
    assert is_trusted(record, miners, blocks, rewards) is trusted
