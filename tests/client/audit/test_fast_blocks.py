"""Blocks without votes: final, drawn, refuted, too old; the auditor's rules against the contract's, to the wei."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bcfl_client.audit import AuditReport, audit_task
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.task import read_logs
from bcfl_client.errors import ContractReverted
from bcfl_client.storage import DirectoryStore
from bcfl_client.types import Phase

from .dice import check_clock
from .disputes import ask, claim, refute
from .lies import audit_by, lied, word
from .stage import Stage
from .world import BASE, World

WRONG = 41_000


@pytest.fixture(scope="module")
def proven(running_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Miner 0 has made the block of the only round so far, so that it is trusted."""
    with running_world.undone():
        terms = {"fastBlocks": 9000, "rounds": 3, "maxStrikes": 5, "maxVoidRounds": 9}
        stage = Stage(running_world, DirectoryStore(tmp_path_factory.mktemp("proven")), terms=terms).bid().select()
        stage.honest_round()
        yield stage


@pytest.fixture
def trusted(proven: Stage, tmp_path: Path) -> Iterator[Stage]:
    """The second round, up to Seal."""
    with proven.world.undone():
        stage = proven.copy(tmp_path / "store")
        stage.commit()
        stage.reveal()
        stage.check()
        yield stage


def _propose(stage: Stage, drawn: bool, **changes: Any) -> None:
    """A fast block of miner 0, again and again until the chain's block draws it, or does not."""
    while True:
        snapshot = stage.world.connection.request("evm_snapshot")
        stage.propose_fast(0, **changes)
        if (stage.task.status().phase == Phase.SEAL) == drawn:
            return
        stage.world.connection.request("evm_revert", snapshot)
        stage.world.later(1)
        stage.publisher = stage.actor(1)
        stage.take_seats()


def _audited(stage: Stage) -> AuditReport:
    stage.withdraw_all()
    return audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0)


def _without_hashes(method: str, answer: Any) -> Any:
    return answer | {"hash": None} if method == "eth_getBlockByNumber" else answer


def test_a_fast_block_is_final(trusted: Stage) -> None:
    """Its aggregate is recomputed; inputs are paid by quality, and one record of a miner changes."""
    records = len(_records(trusted))
    _propose(trusted, False)
    check_clock(trusted)
    trusted.finalise()
    assert len(_records(trusted)) == records + 1
    trusted.honest_round()
    report = _audited(trusted)
    assert report.ok, report.summary
    assert [(one.fast, one.aggregate, one.scores) for one in report.rounds[1:]] == [
        (True, "recomputed", 0),
        (False, "recomputed", 9),
    ]
    assert report.rounds[1].accuracy == report.rounds[1].recomputed_accuracy
    assert "blocks: 1 without a vote, 0 mined again" in report.summary
    assert audit_by(trusted, _without_hashes).ok


def _records(stage: Stage) -> list[Any]:
    events = read_logs(stage.world.connection, stage.world.contracts.reputation, artifact("Reputation").codec)
    return [event for event in events if event.name == "MinerRecorded"]


def test_a_drawn_block_gives_way_to_a_vote(trusted: Stage) -> None:
    """Seal goes on, also for its miner; where the node does not tell the hash, the vote is what says so."""
    _propose(trusted, True)
    check_clock(trusted)
    with pytest.raises(ContractReverted):
        claim(trusted, 16, 0, WRONG)
    trusted.mine(proposers=[1])
    trusted.finalise()
    report = _audited(trusted)
    assert report.ok, report.summary
    assert (report.rounds[1].fast, report.rounds[1].miner) == (False, 1)
    assert audit_by(trusted, _without_hashes).ok


@pytest.mark.parametrize("seals", [True, False])
def test_a_refuted_block_gives_way_without_its_miner(trusted: Stage, seals: bool) -> None:
    """A watcher gets half of the deposit, the other miners vote, or nobody does and the round is void."""
    _propose(trusted, False, **trusted.false_result(WRONG))
    refute(trusted, 16, 0, WRONG)
    check_clock(trusted)
    if seals:
        trusted.mine(proposers=[2])
    trusted.finalise()
    report = _audited(trusted)
    assert report.ok, report.summary
    assert (report.rounds[1].accepted, report.rounds[1].refuted) == (seals, (0,))
    assert report.disputants[0].bounties_wei == BASE["minerDeposit"] // 2
    assert audit_by(trusted, _without_hashes).ok


def test_a_false_block_that_nobody_challenged_is_named(trusted: Stage) -> None:
    """Its aggregate, and an accuracy that the model does not have."""
    _propose(trusted, False, accuracy=9999, **trusted.false_result(WRONG))
    question = ask(trusted, 16, 0)
    trusted.finalise()
    assert trusted.task.stake(question.digest)["challenger"] != "0x" + 40 * "0"
    found = {one.what for one in _audited(trusted).differences}
    assert found == {"root of the aggregate", "accuracy in basis points"}


def test_a_block_that_is_too_old_counts_as_drawn(trusted: Stage) -> None:
    """After 256 blocks of the chain its hash cannot be looked up any more."""
    _propose(trusted, False)
    trusted.world.connection.request("anvil_mine", hex(256), hex(0))
    check_clock(trusted)
    assert trusted.task.status().phase == Phase.SEAL
    trusted.mine()
    trusted.finalise()
    report = _audited(trusted)
    assert report.ok, report.summary
    assert not report.rounds[1].fast


def test_trust_and_draw_are_checked(trusted: Stage) -> None:
    """A record that does not carry the trust; a block that was drawn and final all the same; another accuracy."""
    _propose(trusted, False)
    trusted.finalise()
    untrusted = lied(trusted, "MinerRecorded", word(0, lambda accepted: 0), "Reputation")
    assert any(one.what == "trusted to propose without a vote" for one in untrusted.differences)

    def drawn(method: str, answer: Any) -> Any:
        return answer | {"hash": "0x" + 64 * "0"} if method == "eth_getBlockByNumber" else answer

    assert any("phase at second" in one.what for one in audit_by(trusted, drawn).differences)
    other = lied(trusted, "FastProposed", word(3, lambda accuracy: accuracy + 1))
    assert any(one.what == "block hash" for one in other.differences)
