"""`TaskFactory.publish`: which terms are refused, what a task starts with, who pays."""

from __future__ import annotations

from typing import Any

import pytest

from ..support import chain
from ..support.errors import reverts, term
from ..support.events import log, plain
from ..support.kinds import State
from ..support.ranges import COMPANIONS, DIGESTS, HALF, RANGES
from ..support.terms import BASE, terms

FEE = 77  # wei


def offer(factory: Any, publisher: Any, value: int | None = None, **changes: Any) -> str:
    """Calls `publish` and leaves no trace; the right value unless told."""
    given = terms(**changes)
    sent = given["reward"] + factory.taskFee() if value is None else value
    return factory.publish.call(tuple(given.values()), {"from": publisher, "value": sent})


@pytest.fixture(scope="module")
def rich_publisher(module_isolation: None, publisher: Any) -> Any:
    chain.rpc("anvil_setBalance", publisher.address, hex(4 * HALF))
    return publisher


@pytest.fixture(scope="module")
def costly_factory(module_isolation: None, TaskFactory: Any, implementation: Any, publisher: Any) -> Any:
    return TaskFactory.deploy(FEE, implementation, {"from": publisher})


# ---------------------------------------------------------------------- reverts


@pytest.mark.parametrize("name", DIGESTS)
def test_missing_digest(factory: Any, publisher: Any, name: str) -> None:
    """No digest may be zero."""
    with reverts("TermsRules_Missing", term(name)):
        offer(factory, publisher, **{name: b"\x00" * 32})


@pytest.mark.parametrize("name", RANGES)
def test_out_of_range(factory: Any, rich_publisher: Any, name: str) -> None:
    """One below and one above a term's range is refused and says so."""
    low, high = RANGES[name]
    for wrong in (low - 1, high + 1):
        if fits(factory, name, wrong):
            with reverts("TermsRules_OutOfRange", term(name), wrong, low, high):
                offer(factory, rich_publisher, **COMPANIONS.get((name, low), {}) | {name: wrong})


def test_fast_path_needs_a_window(factory: Any, publisher: Any) -> None:
    """Without seals and votes somebody must have time to object."""
    with reverts("TermsRules_OutOfRange", term("minWindow"), 0, 1, BASE["challengeWindow"]):
        offer(factory, publisher, fastBlocks=1, minWindow=0)


def test_first_wrong_term_is_named(factory: Any, publisher: Any) -> None:
    """Of several wrong terms the first in the order of the rules is named."""
    with reverts("TermsRules_OutOfRange", term("manifestSize"), 0, 1, 2**16):
        offer(factory, publisher, blockTime=2**32 - 1, manifestSize=0, rounds=0)


@pytest.mark.parametrize("wrong", [-BASE["reward"], -1, 1])
def test_underfunded_value(factory: Any, publisher: Any, wrong: int) -> None:
    """The value is the reward, to the wei."""
    reward = BASE["reward"]
    with reverts("TaskFactory_Underfunded", reward + wrong, reward):
        offer(factory, publisher, value=reward + wrong)


def test_underfunded_fee(costly_factory: Any, publisher: Any) -> None:
    """The value includes the fee."""
    reward = BASE["reward"]
    with reverts("TaskFactory_Underfunded", reward, reward + FEE):
        offer(costly_factory, publisher, value=reward)


@pytest.mark.parametrize(
    ("reward", "share", "required"),
    [
        (44, 2000, 75),  # miners: 8 wei, 2 a round, for 3 of them
        (44, 8000, 75),  # trainers: 9 wei, 3 a round, for 4 of them
        (1, 5000, 30),
        (1, 7, 21_429),
    ],
)
def test_underfunded_share(factory: Any, publisher: Any, reward: int, share: int, required: int) -> None:
    """A reward whose share per round and slot floors to zero is refused, and says which would do."""
    with reverts("TaskFactory_Underfunded", reward, required):
        offer(factory, publisher, reward=reward, minerShare=share)
    assert offer(factory, publisher, reward=required, minerShare=share)


def test_revert_makes_nothing(factory: Any, publisher: Any) -> None:
    """A refused publication leaves no task and takes no money."""
    tasks, money = factory.taskCount(), publisher.balance()
    with reverts("TaskFactory_Underfunded", 1, BASE["reward"]):
        factory.publish(tuple(terms().values()), {"from": publisher, "value": 1})
    assert factory.taskCount() == tasks
    assert publisher.balance() == money


# ---------------------------------------------------------------------- successes


def test_every_term_has_a_rule(factory: Any) -> None:
    """The tests know all terms of the contract, in its order."""
    names = [part["name"] for part in components(factory)]
    assert names == list(BASE)
    assert set(names) == {*RANGES, *DIGESTS, "closeWhenFull"}


@pytest.mark.parametrize("name", RANGES)
def test_ends_of_range(factory: Any, rich_publisher: Any, name: str) -> None:
    """Both ends of a term's range are allowed."""
    for end in RANGES[name]:
        assert offer(factory, rich_publisher, **{name: end} | COMPANIONS.get((name, end), {}))


def test_task(factory: Any, publisher: Any, LearningTask: Any, reputation: Any) -> None:
    """A task starts in Bidding with its terms, its reward, its first model and no bids."""
    given = terms()
    tx = factory.publish(tuple(given.values()), {"from": publisher, "value": given["reward"]})
    task = LearningTask.at(tx.return_value)

    event = log(tx, "TaskPublished")
    assert (event["task"], event["publisher"], event["index"]) == (task, publisher, 0)
    assert plain(event["terms"]) == plain(task.terms()) == tuple(given.values())
    assert (task.factory(), task.publisher(), task.reputation()) == (factory, publisher, reputation)

    status = task.status()
    assert status["state"] == State.BIDDING
    assert status["deadline"] == tx.timestamp + given["biddingWindow"]
    assert status["roundsLeft"] == given["rounds"]
    assert status["difficulty"] == given["difficulty"]
    assert plain(status["head"]) == (b"\x00" * 32, given["initialRoot"], given["initialContent"])
    assert task.balance() == task.pool() == given["reward"]


def test_listed(factory: Any, publish: Any) -> None:
    """Tasks are listed in order and stand apart from each other."""
    first, second = publish().task, publish(rounds=7).task
    assert factory.taskCount() == 2
    assert [factory.tasks(0), factory.tasks(1)] == [first, second]
    assert factory.isTask(first) and factory.isTask(second)
    assert [first.terms()["rounds"], second.terms()["rounds"]] == [3, 7]


def test_fee_is_burnt(costly_factory: Any, publisher: Any) -> None:
    """The fee goes to the zero address at once; the factory keeps nothing."""
    given = terms()
    before = chain.balance(chain.ZERO_ADDRESS)
    costly_factory.publish(tuple(given.values()), {"from": publisher, "value": given["reward"] + FEE})
    assert chain.balance(chain.ZERO_ADDRESS) == before + FEE
    assert costly_factory.balance() == 0
    assert chain.balance(costly_factory.tasks(0)) == given["reward"]


def components(factory: Any) -> list[dict[str, str]]:
    """The fields of `Terms` in the ABI."""
    publish = next(item for item in factory.abi if item.get("name") == "publish")
    return publish["inputs"][0]["components"]


def fits(factory: Any, name: str, value: int) -> bool:
    """Whether the term's type can hold `value` at all."""
    kind = next(part["type"] for part in components(factory) if part["name"] == name)
    return 0 <= value < 2 ** int(kind.removeprefix("uint"))
