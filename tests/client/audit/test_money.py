"""The auditor's own rules against the contract's, to the wei: every way in which a task goes on or ends."""

from __future__ import annotations

import pytest

from bcfl_client.audit import AuditReport, audit_task
from bcfl_client.storage import DirectoryStore
from bcfl_client.types import Fault, State, Verdict

from .stage import Stage
from .world import World


def _audited(stage: Stage) -> AuditReport:
    """The report of the task after everybody took out what there was; without a difference and with nothing left."""
    stage.withdraw_all()
    report = audit_task(stage.world.connection, stage.store, stage.task.address, wait_seconds=0)
    assert not report.differences, report.summary
    money = report.totals
    assert money.paid_in_wei == money.paid_out_wei + money.burnt_wei + money.left_wei
    if report.state in ("completed", "aborted"):
        assert money.left_wei == 0
    return report


def _faults(stage: Stage) -> list[tuple[int, Fault]]:
    return [(e.args["seat"], Fault(e.args["fault"])) for e in stage.task.events() if e.name == "Slashed"]  # type: ignore[misc,arg-type]


def test_a_trainer_that_never_reveals(running: Stage) -> None:
    """It loses a share of its deposit, which is burnt; the round goes on without it."""
    running.commit()
    running.reveal(but=[1])
    running.check()
    running.mine()
    running.finalise()
    assert _faults(running) == [(1, Fault.NOT_REVEALED)]
    running.honest_round()
    report = _audited(running)
    assert report.ok
    assert report.totals.burnt_wei == report.participants[1].slashed_wei > 0


def test_a_trainer_that_stays_away(running: Stage) -> None:
    """A strike, no slash."""
    running.commit(but=[2])
    running.reveal()
    running.check()
    running.mine()
    running.finalise()
    running.honest_round()
    report = _audited(running)
    assert (report.participants[2].strikes, report.totals.burnt_wei) == (1, 0)


def test_a_rejected_update(running: Stage) -> None:
    """Two of three miners condemn it: its share and the penalty are burnt, and nobody fetches it in the audit."""
    running.commit()
    running.reveal()
    running.check({0: {1: Verdict.COPY}, 1: {1: Verdict.INVALID, 0: Verdict.INVALID}})
    running.mine()
    running.finalise()
    running.honest_round()
    report = _audited(running)
    assert _faults(running) == [(1, Fault.REJECTED)]
    assert [one.inputs for one in report.rounds] == [2, 3]
    assert report.totals.burnt_wei > report.participants[1].slashed_wei == 500


def test_an_outvoted_miner_and_one_that_stays_silent(running: Stage) -> None:
    """Seat 2 opens another result: fined, and a note in the report; in the next round seat 1 seals nothing."""
    running.commit()
    running.reveal()
    running.check(but=[2])
    running.mine({2: {"root": b"\7" * 32}}, proposers=[1])
    running.finalise()
    running.commit()
    running.reveal()
    running.check()
    running.mine(no_seal=[1], proposers=[0])
    running.finalise()
    assert _faults(running) == [(2, Fault.OUTVOTED), (1, Fault.NOT_SEALED)]
    report = _audited(running)
    assert report.ok
    assert any("miner 2" in note and "without effect" in note for note in report.notes)


def test_a_miner_that_does_not_open(running: Stage) -> None:
    """The other two are still a majority, but not unanimous: the whole challenge window runs."""
    running.commit()
    running.reveal()
    running.check()
    running.mine(no_open=[2])
    running.finalise()
    assert _faults(running) == [(2, Fault.NOT_OPENED)]
    running.honest_round()
    assert _audited(running).ok


@pytest.mark.parametrize("after", ["nothing", "commit", "reveal", "check", "seal", "false block", "split"])
def test_a_void_round(world: World, store: DirectoryStore, after: str) -> None:
    """However far it came, the contract and the auditor agree on who is paid, struck and fined."""
    stage = Stage(world, store, terms={"maxVoidRounds": 2, "maxStrikes": 9}).bid().select()
    stage.commit(but=stage.trainers if after == "nothing" else [])
    if after != "nothing":
        stage.reveal(but=[0, 1] if after == "commit" else [])
    if after not in ("nothing", "commit"):
        verdicts = {seat: {0: Verdict.INVALID, 2: Verdict.INVALID} for seat in (0, 1)}
        stage.check(verdicts if after == "check" else {}, but=[2])
    if after == "reveal":
        stage.mine(no_seal=stage.miners, proposers=[])
    if after == "seal":
        stage.mine(proposers=[])
    if after == "false block":
        stage.mine({0: {"root": b"\7" * 32}})
    if after == "split":
        stage.mine({0: {"root": b"\7" * 32}, 1: {"root": b"\6" * 32}})
    stage.finalise()
    assert stage.task.status().void_rounds == 1
    while stage.task.status().state == State.RUNNING:
        stage.honest_round()
    report = _audited(stage)
    assert not report.rounds[0].accepted and report.rounds[1].accepted


def test_too_many_void_rounds_abort(world: World, store: DirectoryStore) -> None:
    """Nobody ever commits: refunds, and nothing earned."""
    stage = Stage(world, store, terms={"maxVoidRounds": 1, "maxStrikes": 9}).bid().select()
    for _ in range(2):
        stage.commit(but=stage.trainers)
        stage.finalise()
    report = _audited(stage)
    assert (report.state, report.ok) == ("aborted", True)


def test_struck_out_trainers_end_a_task(world: World, store: DirectoryStore) -> None:
    """One strike ends a trainer's part; with fewer left than a round needs the task is aborted."""
    stage = Stage(world, store, terms={"maxStrikes": 1, "rounds": 3}).bid().select()
    stage.commit(but=[0])
    stage.reveal()
    stage.check()
    stage.mine()
    stage.finalise()
    stage.commit()
    stage.reveal(but=[1])
    stage.finalise()
    report = _audited(stage)
    assert (report.state, len(report.rounds)) == ("aborted", 2)


def test_low_scores_are_not_paid(world: World, store: DirectoryStore) -> None:
    """Whoever is below `payScore` of the median gets nothing; what it would have got is burnt."""
    stage = Stage(world, store, terms={"payScore": 10_000}).bid().select()
    stage.honest_round()
    stage.honest_round()
    assert {fault for _, fault in _faults(stage)} == {Fault.LOW_SCORE}
    assert _audited(stage).ok


def test_early_end(world: World, store: DirectoryStore) -> None:
    """The target reached twice in a row: a bonus of the rest, the remainder to the publisher."""
    stage = Stage(world, store, terms={"targetAccuracy": 1, "rounds": 5}).bid().select()
    stage.honest_round()
    stage.honest_round()
    report = _audited(stage)
    assert (report.state, len(report.rounds)) == ("completed", 2)


def test_forks_and_difficulty(world: World, store: DirectoryStore) -> None:
    """Within `forkWindow` all three propose, the earliest with the truth wins; difficulty follows the wanted time."""
    stage = Stage(world, store, terms={"forkWindow": 100, "blockTime": 30, "rounds": 3}).bid().select()
    for order in ([2, 0, 1], [1, 2], [0]):
        stage.commit()
        stage.reveal()
        stage.check()
        world.later(13)
        stage.mine({2: {"root": b"\7" * 32}} if order[0] == 2 else {}, proposers=order)
        stage.finalise()
    report = _audited(stage)
    assert [one.miner for one in report.rounds] == [0, 1, 0]
    assert len({one.difficulty for one in report.rounds}) > 1


def test_a_miner_that_trains(world: World, store: DirectoryStore) -> None:
    """It has no say on its own update; as the only miner it leaves its own update unjudged."""
    both = Stage(world, store, miner_accounts=(2, 11, 12)).bid().select()
    both.commit()
    both.reveal()
    own = both.task.miners().index(next(m for m in both.task.miners() if m.trainer_seat is not None))
    seat = both.task.miners()[own].trainer_seat
    assert seat is not None
    both.check({own: {seat: Verdict.INVALID}, 0 if own else 1: {seat: Verdict.INVALID}})
    both.mine()
    both.finalise()
    assert not _faults(both)
    both.honest_round()
    assert _audited(both).ok

    alone = Stage(world, store, miner_accounts=(3,), fees=(777,)).bid().select()
    alone.honest_round()
    alone.honest_round()
    assert _audited(alone).ok


def test_bids_displaced_skipped_and_bid_again(world: World, store: DirectoryStore) -> None:
    """Better bids push out the worst, a dear one is skipped, a cap cuts the large offer; refunds at once."""
    stage = Stage(
        world,
        store,
        terms={"trainerSlots": 5, "reward": 300_000},
        offers=((10, 950), (300, 940), (2000, 10), (280, 900), (100, 1), (12, 2)),
        fees=(90_000, 5_000, 6_000),
    ).bid()
    stage.actor(2).bid_as_trainer(11, 3, 10)
    stage.select()
    assert _audited(stage).ok  # a running task is audited as far as it has come
    stage.honest_round()
    stage.honest_round()
    report = _audited(stage)
    assert [one.samples for one in report.participants] == [36, 36, 12, 11, 0, 0]


def test_too_few_bids_and_cancellation(world: World, store: DirectoryStore) -> None:
    """Without enough bidders, and cancelled by the publisher: all money goes back."""
    few = Stage(world, store, offers=((100, 300),)).bid()
    few.let_pass(few.task.status().phase)
    few.publisher.select()
    cancelled = Stage(world, store).bid()
    cancelled.publisher.cancel()
    for stage in (few, cancelled):
        report = _audited(stage)
        assert (report.state, report.ok, report.rounds) == ("aborted", True, ())


def test_reputation_decides_between_equal_prices(world: World, store: DirectoryStore) -> None:
    """The registry's events of an earlier task, as they were when a bid came, rank the bids of the next one."""
    offers = ((100, 300), (100, 300), (100, 300))
    first = Stage(world, store, offers=offers, fees=(10_000, 10_000, 10_000)).bid().select()
    first.commit()
    first.reveal(but=[2])
    first.check()
    first.mine(proposers=[2])
    first.finalise()
    first.honest_round()
    second = Stage(world, store, offers=offers, fees=(10_000, 10_000, 10_000)).bid().select()
    assert [one.account for one in second.task.trainers()] != [one.account for one in first.task.trainers()]
    assert [one.account for one in second.task.miners()] != [one.account for one in first.task.miners()]
    second.honest_round()
    second.honest_round()
    assert _audited(first).ok and _audited(second).ok


def test_forced_ether_is_named_apart(stage: Stage) -> None:
    """Ether that no rule knows of changes no account and is not called left."""
    stage.honest_round()
    balance = stage.world.connection.balance(stage.task.address) + 12_345
    stage.world.connection.request("anvil_setBalance", stage.task.address, hex(balance))
    report = _audited(stage)
    assert report.ok and report.totals.forced_wei == 12_345
