"""`LearningTask.finalise` after a result was refuted: deposits, bounties, bonds, and who goes on."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain, digests
from ..support.disputes import BOND, LIE, Case, lied
from ..support.events import log, logs, names
from ..support.kinds import Fault, Phase, Role, State
from ..support.models import Models
from ..support.money import assert_balanced
from ..support.play import Play
from ..support.terms import BASE

DEPOSIT = BASE["minerDeposit"]


@pytest.fixture(scope="module")
def case(module_isolation: None, publish: Any, eve: Any) -> Case:
    """Eve has refuted the lie of seats 0 and 1; only seat 2 opened the truth, and may mine again."""
    case = lied(publish(), 0, 1)
    case.refute(eve)
    return case


def finalise(play: Play, everybody: list[Any], bonds: int = 0) -> Any:
    """With `bonds` that are left to be reclaimed."""
    tx = play.task.finalise(*play.medians(), {"from": play.publisher})
    assert_balanced(play.task, everybody, bonds)
    return tx


def forfeited(tx: Any) -> list[tuple[int, int]]:
    """Miner seats with what they lost for a proven lie, which is what they are struck out for."""
    events = [event for event in logs(tx, "Slashed") if event["fault"] == Fault.PROVEN_WRONG]
    assert all(event["role"] == Role.MINER for event in events)
    out = {event["seat"] for event in logs(tx, "StruckOut") if event["role"] == Role.MINER}
    assert {event["seat"] for event in events} == out
    return [(event["seat"], event["amount"]) for event in events]


def bounties(tx: Any) -> list[tuple[Any, ...]]:
    """Seat, challenger, bounty and bond."""
    return [tuple(event.values())[1:] for event in logs(tx, "BountyPaid")]


def forked(play: Play, lies: dict[int, bytes], *proposers: int) -> Case:
    """Up to the proposals of `proposers`."""
    case = Case.of(play, lies)
    case.seal()
    for seat in proposers:
        case.propose(seat)
    return case


@pytest.fixture
def forking(fn_isolation: None, publish: Any) -> Play:
    return publish(forkWindow=60).until(Phase.SEAL)


# ---------------------------------------------------------------------- a lie of the majority


def test_one_honest_miner_is_enough(case: Case, eve: Any, everybody: list[Any]) -> None:
    """The truth that only one miner opened becomes the head; the majority loses all, half of it to the challenger."""
    case.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    tx = finalise(case.play, everybody)

    block = log(tx, "RoundFinalised")
    assert (block["seat"], block["root"], block["accuracy"]) == (2, case.results[2].root, 8002)
    assert digests.unpack(block["medians"], 3) == case.results[2].scores  # the liars' scores are not heard
    assert forfeited(tx) == [(0, DEPOSIT), (1, DEPOSIT)]
    assert len(logs(tx, "Slashed")) == len(logs(tx, "Struck")) == 2
    assert bounties(tx) == [(0, eve, DEPOSIT, BOND)]
    assert case.task.withdrawable(eve) == DEPOSIT + BOND
    assert case.task.burnt() == DEPOSIT
    assert [event["amount"] for event in logs(tx, "Paid") if event["role"] == Role.MINER] == [30_000]
    for seat in (0, 1):
        miner = case.task.miner(seat)
        assert (miner["deposit"], miner["strikes"], miner["provenRound"]) == (0, BASE["maxStrikes"], 1)
    assert (case.play.round["id"], case.play.round["activeMiners"]) == (2, 0b100)


def test_records(case: Case, everybody: list[Any], reputation: Any) -> None:
    """The liars served the round in vain."""
    case.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    finalise(case.play, everybody)
    assert [tuple(reputation.minerRecord(who)) for who in case.play.miners] == [
        (0, 1, 0, 30_000),
        (0, 1, 0, 30_000),
        (1, 1, 30_000, 30_000),
    ]


def test_the_task_goes_on(case: Case, everybody: list[Any]) -> None:
    """One miner is enough for the rounds that are left."""
    case.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    finalise(case.play, everybody)
    case.play.until(Phase.MINE)
    case.play.propose(2)
    case.play.let_pass(Phase.CHALLENGE)
    assert log(finalise(case.play, everybody), "RoundFinalised")["seat"] == 2


def test_nobody_mines_again(case: Case, eve: Any, everybody: list[Any]) -> None:
    """Without a block of the truth the round is void; the liars lose the same, the challenger gets the same."""
    case.play.let_pass(Phase.MINE)
    tx = case.task.finalise([], 0, {"from": eve})
    assert log(tx, "RoundVoided") == {"round": 1, "counted": True, "inputs": 0b111}
    assert forfeited(tx) == [(0, DEPOSIT), (1, DEPOSIT)]
    assert bounties(tx) == [(0, eve, DEPOSIT, BOND)]
    assert len(logs(tx, "Slashed")) == 2  # seat 2 was no majority: nothing is held against it
    assert_balanced(case.task, everybody)


def test_all_lied(publish: Any, eve: Any, everybody: list[Any]) -> None:
    """With no miner left the task ends, and the bounty is there to be withdrawn."""
    case = lied(publish(), 0, 1, 2)
    case.refute(eve)
    assert case.play.phase == Phase.FINALISE
    tx = case.task.finalise([], 0, {"from": eve})
    assert forfeited(tx) == [(seat, DEPOSIT) for seat in range(3)]
    assert case.play.status["state"] == State.ABORTED
    assert log(tx, "Burnt") == {"amount": 3 * DEPOSIT // 2}
    assert case.task.withdrawable(eve) == 3 * DEPOSIT // 2 + BOND
    assert_balanced(case.task, everybody)
    before = eve.balance()
    case.task.withdraw(eve, {"from": eve})
    assert eve.balance() == before + 3 * DEPOSIT // 2 + BOND


@pytest.mark.parametrize("deposit", [40_000, 40_001])
def test_refuting_oneself(publish: Any, everybody: list[Any], deposit: int) -> None:
    """A liar that shows its own lie, before somebody else does, loses half of its deposit all the same, rounded up."""
    case = lied(publish(minerDeposit=deposit), 0, 1, 2)
    liar = case.play.miners[0]
    case.refute(liar)
    case.task.finalise([], 0, {"from": liar})
    assert case.task.withdrawable(liar) == 3 * (deposit // 2) + BOND
    assert case.task.burnt() == 3 * (deposit - deposit // 2)
    assert_balanced(case.task, everybody)


# ---------------------------------------------------------------------- lies beside the truth


def test_lie_of_the_minority(forking: Play, eve: Any, everybody: list[Any]) -> None:
    """A lie that was outvoted can be refuted as well: whoever opened it loses all instead of a penalty."""
    case = forked(forking, {0: Models.of(forking).lie(LIE)}, 0, 1, 2)
    case.refute(eve)
    forking.let_pass(Phase.CHALLENGE)
    tx = finalise(forking, everybody)
    assert log(tx, "RoundFinalised")["seat"] == 1
    assert forfeited(tx) == [(0, DEPOSIT)]
    assert len(logs(tx, "Slashed")) == 1
    assert bounties(tx) == [(0, eve, DEPOSIT // 2, BOND)]


def test_two_lies(forking: Play, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """Each lie has a challenger of its own, and each challenger half of what stood behind that lie."""
    models = Models.of(forking)
    case = forked(forking, {0: models.lie(LIE), 1: models.lie(LIE, by=2)}, 0, 1)
    case.refute(dave, 0)
    case.refute(eve, 1)
    case.propose(2)
    forking.let_pass(Phase.CHALLENGE)
    tx = finalise(forking, everybody)
    assert log(tx, "RoundFinalised")["seat"] == 2
    assert forfeited(tx) == [(0, DEPOSIT), (1, DEPOSIT)]
    assert bounties(tx) == [(0, dave, DEPOSIT // 2, BOND), (1, eve, DEPOSIT // 2, BOND)]


def test_one_lie_refuted_twice(forking: Play, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """Of two who refuted the same lie, through two of its openers, the earlier commitment gets all."""
    case = forked(forking, dict.fromkeys((0, 1), Models.of(forking).lie(LIE)), 0, 1, 2)
    case.commit(eve, 1)
    case.refute(dave, 0)
    case.task.challenge(*case.proof(1), {"from": eve})
    forking.let_pass(Phase.CHALLENGE)
    tx = finalise(forking, everybody)
    assert forfeited(tx) == [(0, DEPOSIT), (1, DEPOSIT)]
    assert bounties(tx) == [(0, dave, 0, BOND), (1, eve, DEPOSIT, BOND)]


def test_bond_against_the_truth(forking: Play, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """While a lie is refuted, a bond against the truth is lost as always."""
    case = forked(forking, {0: Models.of(forking).lie(LIE)}, 0, 1, 2)
    case.refute(eve)
    case.commit(dave, 1)
    forking.let_pass(Phase.CHALLENGE)
    tx = finalise(forking, everybody)
    assert log(tx, "BondsLost") == {"round": 1, "seat": 1, "amount": BOND}
    assert forking.task.withdrawable(dave) == 0


def test_bonds_against_the_lie_wait(forking: Play, dave: Any, eve: Any, everybody: list[Any]) -> None:
    """Bonds against a lie that somebody else refuted are nobody's gain; `reclaim` gives them back."""
    case = forked(forking, {0: Models.of(forking).lie(LIE)}, 0, 1, 2)
    case.commit(dave)
    case.refute(eve)
    forking.let_pass(Phase.CHALLENGE)
    tx = finalise(forking, everybody, bonds=1)
    assert "BondsLost" not in names(tx)


# ---------------------------------------------------------------------- a fast block


@pytest.fixture
def fast(fn_isolation: None, publish: Any, eve: Any) -> Case:
    """Round 2: the fast block of seat 0 was a lie, which Eve has refuted. Seal runs for the others."""
    play = publish(fastBlocks=1, rounds=4).until(Phase.COMMIT)
    play.play_round()
    case = Case.of(play.until(Phase.SEAL), {0: Models.of(play).lie(LIE)})
    play.propose_fast(0, case.results)
    case.refute(eve)
    return case


def test_fast_liar(fast: Case, eve: Any, everybody: list[Any]) -> None:
    """The others vote; their block is the head, and the liar loses all."""
    chain.pass_time(1)  # what was said against the fast block does not prolong the window of this one
    fast.seal()
    fast.propose(1)
    fast.open()
    assert fast.play.phase == Phase.CHALLENGE
    assert fast.play.status["deadline"] == fast.play.round["firstProposal"] + BASE["minWindow"]  # the two agree
    fast.play.let_pass(Phase.CHALLENGE)
    tx = finalise(fast.play, everybody)
    block = log(tx, "RoundFinalised")
    assert (block["seat"], block["root"]) == (1, fast.results[1].root)
    assert forfeited(tx) == [(0, DEPOSIT)]
    assert len(logs(tx, "Slashed")) == 1
    assert bounties(tx) == [(0, eve, DEPOSIT // 2, BOND)]
    assert fast.play.round["activeMiners"] == 0b110


def test_fast_liar_in_a_void_round(fast: Case, eve: Any, everybody: list[Any]) -> None:
    """So it does when the others do nothing, and they answer for that."""
    fast.play.let_pass(Phase.SEAL)
    tx = fast.task.finalise([], 0, {"from": eve})
    faults = [(event["seat"], event["fault"]) for event in logs(tx, "Slashed")]
    assert sorted(faults) == [(0, Fault.PROVEN_WRONG), (1, Fault.NOT_SEALED), (2, Fault.NOT_SEALED)]
    assert bounties(tx) == [(0, eve, DEPOSIT // 2, BOND)]
    assert_balanced(fast.task, everybody)


def test_fast_liars_record(fast: Case, everybody: list[Any], reputation: Any) -> None:
    """It served that round in vain."""
    before = [tuple(reputation.minerRecord(who))[:2] for who in fast.play.miners]
    assert before == [(1, 1), (0, 1), (0, 1)]
    fast.seal()
    fast.propose(1)
    fast.open()
    fast.play.let_pass(Phase.CHALLENGE)
    finalise(fast.play, everybody)
    assert [tuple(reputation.minerRecord(who))[:2] for who in fast.play.miners] == [(1, 2), (1, 2), (0, 2)]


def test_fast_lie_agreed_to(fast: Case, eve: Any, everybody: list[Any]) -> None:
    """Who opens the same lie in the vote after it is guilty by that very proof: no new one is needed."""
    lies = {seat: fast.models.opening(seat, fast.made[0]) for seat in (1, 2)}
    fast.play.seal(results=lies)
    fast.play.propose(1, lies)
    fast.play.open(results=lies)
    assert fast.play.phase == Phase.FINALISE
    tx = fast.task.finalise([], 0, {"from": eve})
    assert forfeited(tx) == [(seat, DEPOSIT) for seat in range(3)]
    assert bounties(tx) == [(0, eve, 3 * DEPOSIT // 2, BOND)]
    assert_balanced(fast.task, everybody)
