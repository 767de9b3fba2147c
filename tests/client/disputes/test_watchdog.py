"""The watchdog against a task that is played by hand: what it sends, and that it sends nothing twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bcfl_client.aggregation import weighted_mean
from bcfl_client.chain.digests import Place, claim_id
from bcfl_client.chain.task import TrainerSeat
from bcfl_client.errors import ChainMismatch
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.journal import Journal
from bcfl_client.roles.session import Session
from bcfl_client.roles.updates import RoundUpdates
from bcfl_client.roles.watchdog import Watchdog
from bcfl_client.storage import Content, ContentStore, open_store
from bcfl_client.types import Event, Head, Phase, Round, Stage, State, Status

OWN, OTHER = "0x" + "11" * 20, "0x" + "22" * 20
COUNT = 100
UPDATES = [np.arange(COUNT, dtype=np.int32) * factor for factor in (1, -3)]
NO_HEAD = Head(bytes(32), bytes(32), bytes(32))


@dataclass
class ByHand:
    """A task with two inputs and two miners, and the account that watches it. Events are what the test says."""

    terms: dict[str, int]
    events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    stakes: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    blocks: dict[bytes, int] = field(default_factory=dict)
    address: str = "0x" + "33" * 20
    chain_id: int = 1
    refuted: int = 0
    poor: bool = False

    @property
    def connection(self) -> ByHand:
        return self

    def block_number(self) -> int:
        return 100

    def place(self, round_id: int, attempt: int, sender: str) -> Place:
        return Place(1, self.address, round_id, attempt, sender)

    def status(self) -> Status:
        zero = Round(**dict.fromkeys(Round.__dataclass_fields__, 0))  # type: ignore[arg-type]
        openers = sum(1 << one["seat"] for one in self.events["Opened"])
        now = replace(zero, id=1, reveals=2, inputs=0b11, openers=openers, active_miners=0b11, refuted=self.refuted)
        values = dict.fromkeys(Status.__dataclass_fields__, 0)
        return Status(**{**values, "state": State.RUNNING, "phase": Phase.CHALLENGE, "round": now, "head": NO_HEAD})

    def trainers(self) -> list[TrainerSeat]:
        return [
            TrainerSeat("0x" + f"{seat:02d}" * 20, 1, Stage.REVEALED, 10, 10, 0, 0, 1, 1, 65_535, 0, bytes(25))
            for seat in range(2)
        ]

    def round_events(self, name: str, round_id: int) -> list[Event]:
        return [
            Event(name, one, self.address, self.blocks.get(one.get("claim", b""), 1), 0, "0x")
            for one in self.events[name]
        ]

    def stake(self, claim: bytes) -> dict[str, Any]:
        return self.stakes.get(claim, {"challenger": "0x" + "00" * 20})

    def commit_challenge(self, seat: int, digest: bytes) -> None:
        if self.poor:
            raise ChainMismatch("no funds")
        claim = claim_id(seat, digest, OWN)
        assert claim not in self.stakes
        self.sent.append("commit")
        self.stakes[claim] = {"challenger": OWN, "postedAt": 50}

    def challenge(self, seat: int, coordinate: int, *proof: bytes) -> None:
        self.sent.append(f"challenge {seat} {coordinate}")
        self.refuted |= 1 << seat
        (claim,) = self.stakes
        del self.stakes[claim]

    def open(self, seat: int, root: bytes, content: bytes) -> None:
        """Miner `seat` opens a result."""
        self.events["Opened"].append({"seat": seat, "opening": {"root": root, "contentId": content, "scores": ()}})


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return open_store(f"dir:{tmp_path / 'store'}")


@pytest.fixture
def task(store: ContentStore) -> ByHand:
    terms = {"parameterCount": COUNT, "aggregationRule": 0, "trimShare": 0, "challengeBond": 7, "minWindow": 0}
    played = ByHand({**terms, "challengeWindow": 100, "responseWindow": 100})
    for seat, values in enumerate(UPDATES):
        content = store.put(values.tobytes())
        played.events["Revealed"].append({"seat": seat, "root": parameter_root(values), "contentId": content.digest})
    return played


class Actor:
    """Acts on a task as the watching account."""

    def __init__(self, task: ByHand) -> None:
        self.task = task
        self.sender = type("Sender", (), {"address": OWN})()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)


Begin = Callable[[], Session]


@pytest.fixture
def begin(task: ByHand, store: ContentStore, tmp_path: Path) -> Iterator[Begin]:
    """Starts a process of the watching account; the one before it ends."""
    journals: list[Journal] = []

    def start() -> Session:
        for journal in journals:
            journal.close()
        journals.append(Journal(tmp_path / "state"))
        actor = cast(Any, Actor(task))
        return Session(cast(Any, task), actor, store, journals[-1], lambda verb, facts: task.said.append(verb))

    yield start
    journals[-1].close()


RIGHT = weighted_mean(UPDATES, [10, 10])
WRONG = RIGHT.copy()
WRONG[42] += 1


def act(session: Session, watchdog: Watchdog | None = None) -> Watchdog:
    watchdog = watchdog or Watchdog(session)
    status = session.task.status()
    watchdog.act(status, RoundUpdates(session, 1))
    return watchdog


def opened(task: ByHand, seat: int, store: ContentStore, values: np.ndarray) -> None:
    task.open(seat, parameter_root(values), store.put(values.tobytes()).digest)


def test_honest_results_cause_nothing(task: ByHand, store: ContentStore, begin: Begin) -> None:
    for seat in range(2):
        opened(task, seat, store, RIGHT)
    act(begin())
    assert task.sent == task.said == []


def test_a_false_result_is_refuted_once(task: ByHand, store: ContentStore, begin: Begin) -> None:
    """However often it is looked at, and by a later process too; both who opened it fall by one proof."""
    for seat in range(2):
        opened(task, seat, store, WRONG)
    session = begin()
    watchdog = act(session)
    act(session, watchdog)
    act(begin())
    assert task.sent == ["commit", "challenge 0 42"]


def test_another_process_shows_what_was_committed_to(
    task: ByHand, store: ContentStore, tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the two transactions, and the false bytes gone from the store meanwhile: same claim, one bond."""
    opened(task, 1, store, WRONG)
    session = begin()

    def crash(*proof: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ByHand, "challenge", crash)
        with pytest.raises(KeyboardInterrupt):
            act(session)
    (tmp_path / "store" / Content.of(WRONG.tobytes()).cid).unlink()
    act(begin())
    assert task.sent == ["commit", "challenge 1 42"]


def test_the_right_model_under_a_false_content_id(task: ByHand, store: ContentStore, begin: Begin) -> None:
    """No coordinate is wrong, so no bond is posted; said once."""
    task.open(0, parameter_root(RIGHT), b"\x05" * 32)
    session = begin()
    act(session, act(session))
    assert (task.sent, task.said) == ([], ["found a false result", "cannot refute"])


def test_without_money_it_says_so_once_and_tries_again(task: ByHand, store: ContentStore, begin: Begin) -> None:
    opened(task, 0, store, WRONG)
    task.poor = True
    session = begin()
    watchdog = act(session, act(session))
    assert (task.sent, task.said) == ([], ["found a false result", "cannot pay"])
    task.poor = False
    act(session, watchdog)
    assert task.sent == ["commit", "challenge 0 42"]


@pytest.mark.parametrize(("posted", "shown"), [(60, True), (50, False), (40, False)])
def test_who_committed_first_still_shows_its_proof(
    task: ByHand, store: ContentStore, begin: Begin, monkeypatch: pytest.MonkeyPatch, posted: int, shown: bool
) -> None:
    """Somebody else refutes the result in between. An older commitment (block 50) is worth showing, others wait for
    the end of the round, which gives their bonds back."""
    opened(task, 0, store, WRONG)
    session = begin()
    with monkeypatch.context() as patch:
        patch.setattr(ByHand, "challenge", lambda *proof: None)
        watchdog = act(session)
    task.refuted, claim = 0b1, b"\x09" * 32
    task.blocks[claim] = posted
    for name in ("ChallengeCommitted", "Refuted"):
        task.events[name].append({"seat": 0, "challenger": OTHER, "claim": claim})
    act(session, watchdog)
    assert task.sent == ["commit", *(["challenge 0 42"] if shown else [])]


def test_nobody_is_accused_while_an_input_is_missing(
    task: ByHand, store: ContentStore, tmp_path: Path, begin: Begin
) -> None:
    (tmp_path / "store" / Content.of(UPDATES[1].tobytes()).cid).unlink()
    opened(task, 0, store, WRONG)
    session = begin()
    watchdog = act(session, act(session))
    assert (task.sent, task.said) == ([], ["cannot judge: updates are not in the store"])
    store.put(UPDATES[1].tobytes())
    act(session, watchdog)
    assert task.sent == ["commit", "challenge 0 42"]
