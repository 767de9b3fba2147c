"""Who earned what, from events written by hand: each way that money takes is counted once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bcfl_client.chain.history import Published, TaskHistory
from bcfl_client.roles.reporting import Money, Participant, participants, task_money
from bcfl_client.types import Event, Fault, Role, pack_scores

T, M = Role.TRAINER, Role.MINER
STORY: list[tuple[str, dict[str, Any]]] = [
    ("BidPlaced", {"role": T, "account": "ann", "price": 1, "samples": 100, "trainingTime": 1, "deposit": 1000}),
    ("BidPlaced", {"role": T, "account": "bob", "price": 2, "samples": 50, "trainingTime": 1, "deposit": 500}),
    ("BidPlaced", {"role": T, "account": "cat", "price": 1, "samples": 90, "trainingTime": 1, "deposit": 900}),
    ("BidDisplaced", {"role": T, "account": "bob", "deposit": 500}),
    ("BidPlaced", {"role": T, "account": "bob", "price": 1, "samples": 60, "trainingTime": 1, "deposit": 600}),
    ("BidDisplaced", {"role": T, "account": "cat", "deposit": 900}),
    ("BidPlaced", {"role": M, "account": "ann", "price": 5, "samples": 0, "trainingTime": 0, "deposit": 70}),
    ("BidPlaced", {"role": M, "account": "dan", "price": 9, "samples": 0, "trainingTime": 0, "deposit": 70}),
    ("Selected", {"role": T, "seat": 0, "account": "bob", "price": 1, "cap": 60}),
    ("Selected", {"role": T, "seat": 1, "account": "ann", "price": 1, "cap": 100}),
    ("Selected", {"role": M, "seat": 0, "account": "ann", "price": 5, "cap": 0}),
    ("NotSelected", {"role": M, "account": "dan", "deposit": 70}),
    ("InputsFrozen", {"round": 1, "inputs": 0b11}),
    ("RoundFinalised", {"round": 1, "seat": 0, "medians": list(pack_scores({0: 400, 1: 300}, 2))}),
    ("Paid", {"round": 1, "role": T, "seat": 0, "amount": 60}),
    ("Paid", {"round": 1, "role": T, "seat": 1, "amount": 100}),
    ("Paid", {"round": 1, "role": M, "seat": 0, "amount": 5}),
    ("InputsFrozen", {"round": 2, "inputs": 0b10}),
    ("RoundFinalised", {"round": 2, "seat": 0, "medians": list(pack_scores({1: 350}, 2))}),
    ("Slashed", {"round": 2, "role": T, "seat": 0, "fault": Fault.NOT_REVEALED, "amount": 300}),
    ("Paid", {"round": 2, "role": T, "seat": 1, "amount": 110}),
    ("Paid", {"round": 2, "role": M, "seat": 0, "amount": 5}),
    ("TaskCompleted", {"early": False, "toPublisher": 720}),
    ("Burnt", {"amount": 300}),
    ("Withdrawn", {"account": "ann", "amount": 1290}),
]


def _history(events: list[tuple[str, dict[str, Any]]]) -> TaskHistory:
    published = Published("task", "pat", 0, {"reward": 1000}, 1)
    decoded = tuple(Event(name, args, "task", i, 0, "0x") for i, (name, args) in enumerate(events))
    return TaskHistory(31337, 99, "factory", "reputation", "implementation", published, decoded, (), {})


def test_each_participant_of_a_finished_task() -> None:
    """Displaced, displaced and back, not selected, slashed, in both roles at once: each line as counted by hand."""
    pat, bob, ann, cat, miner, dan = participants(_history(STORY))
    assert pat == Participant("publisher", "pat", None, 1000, 0, 0, None, 0, 720, 0, 0)
    assert bob == Participant("trainer", "bob", 0, 1100, 60, 1, 400, 60, 800, 300, 0)
    assert ann == Participant("trainer", "ann", 1, 1000, 100, 2, 350, 210, 1000, 0, 1290)
    assert cat == Participant("trainer", "cat", None, 900, 90, 0, None, 0, 900, 0, 0)
    assert miner == Participant("miner", "ann", 0, 70, 0, 2, None, 10, 70, 0, 1290)
    assert dan == Participant("miner", "dan", None, 70, 0, 0, None, 0, 70, 0, 0)


def test_all_the_money_is_somewhere() -> None:
    """Paid in is what is due to everybody, plus what was burnt."""
    money = task_money(_history(STORY))
    assert money == Money(paid_in=4140, paid_out=1290, burnt=300, left=2550)
    due = sum(person.earned + person.refunded for person in participants(_history(STORY)))
    assert due + money.burnt == money.paid_in


def test_deposits_stay_at_stake_while_the_task_runs() -> None:
    """Before the end only those that are not in have their deposit back."""
    running = _history(STORY[:-3])
    refunded = {person.address: person.refunded for person in participants(running) if person.role == "trainer"}
    assert refunded == {"bob": 500, "ann": 0, "cat": 900}
    assert task_money(running).burnt == 0


def test_an_aborted_task_returns_the_deposits() -> None:
    """As at the end of a completed one."""
    aborted = [*STORY[:8], ("TaskAborted", {"toPublisher": 1000})]
    history = replace(_history(aborted))
    assert sum(person.refunded for person in participants(history)) == task_money(history).paid_in
