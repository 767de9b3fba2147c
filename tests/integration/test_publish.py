"""Publishing on a real chain: what is promised is what the contract holds, and the ranges agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from eth_abi.exceptions import ValueOutOfBounds

from bcfl_client.chain.connection import RpcError
from bcfl_client.chain.contracts import artifact
from bcfl_client.chain.task import Task
from bcfl_client.errors import ChainMismatch, DataError
from bcfl_client.learning.encoding import decode_parameters
from bcfl_client.learning.tree import parameter_root
from bcfl_client.roles.materials import fetch_materials
from bcfl_client.roles.publisher import publish
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import Content, ContentStore
from bcfl_client.terms import TERMS, Term, make_terms
from bcfl_client.types import Phase

if TYPE_CHECKING:
    from tests.integration.conftest import World

COMPUTED = {
    "initialRoot": b"\1" * 32,
    "initialContent": b"\1" * 32,
    "parameterCount": 1,
    "manifestContent": b"\1" * 32,
    "manifestHash": b"\1" * 32,
    "manifestSize": 1,
    "validationContent": b"\1" * 32,
    "validationHash": b"\1" * 32,
    "validationSize": 1,
}


def _published(world: World, store: ContentStore, config: TaskConfig) -> Task:
    address = publish(world.connection, world.sender(1), store, world.contracts.factory, config, None)
    return Task(world.connection, address)


def test_the_task_holds_the_terms_and_the_reward(world: World, store: ContentStore) -> None:
    """Terms on chain are those of the file, the reward is in escrow, bidding is open."""
    terms = make_terms(rounds=3, reward="2 ether", min_window=7)
    task = _published(world, store, TaskConfig(dataset="digits", terms=terms))
    assert {name: task.terms[name] for name in terms.for_contract()} == terms.for_contract()
    assert (task.pool(), world.connection.balance(task.address)) == (2 * 10**18, 2 * 10**18)
    assert task.status().phase == Phase.BIDDING
    assert task.publisher() == world.accounts[1].address


def test_bidders_find_the_public_parts(world: World, store: ContentStore) -> None:
    """Manifest, validation set and initial model lie in the store and are what the chain says."""
    task = _published(world, store, TaskConfig(dataset="digits", seed=5, description="two words"))
    materials = fetch_materials(task, store)
    assert (materials.manifest.dataset, materials.manifest.description) == ("digits", "two words")
    assert len(materials.validation.labels) == 250  # a sixth of the 1,500 training images
    initial = Content(task.terms["initialContent"], 4 * task.terms["parameterCount"])
    values = decode_parameters(store.get(initial), task.terms["parameterCount"], initial.cid)
    assert parameter_root(values) == task.terms["initialRoot"]


def test_nothing_is_stored_or_sent_without_funds_or_data(world: World, store: ContentStore) -> None:
    """A reward beyond the balance and an unknown data set leave neither content nor transaction."""
    before = world.connection.request("eth_getTransactionCount", world.accounts[1].address, "pending")
    with pytest.raises(ChainMismatch, match="wei"):
        _published(world, store, TaskConfig(dataset="digits", terms=make_terms(reward="20000 ether")))
    with pytest.raises(DataError, match="unknown"):
        _published(world, store, TaskConfig(dataset="no such"))
    with pytest.raises(ChainMismatch, match="not a task factory"):
        publish(
            world.connection, world.sender(1), store, world.contracts.reputation, TaskConfig(dataset="digits"), None
        )
    assert world.connection.request("eth_getTransactionCount", world.accounts[1].address, "pending") == before
    assert not Path(store.url.removeprefix("dir:")).exists()


@pytest.mark.parametrize("term", [term for term in TERMS if term.unit != "yes/no"], ids=lambda term: term.name)
def test_the_contract_has_the_same_range(running_world: World, term: Term) -> None:
    """One below and one above the range the contract refuses, naming the same term and the same ends."""
    codec = artifact("TaskFactory").codec
    terms = make_terms()
    low, high = terms.range_of(term)
    for value in (low - 1, high + 1):
        values = {**terms.for_contract(), **COMPUTED}
        name = next(key for key, old in zip(terms.for_contract(), terms.values, strict=True) if old == term.name)
        values[name] = value
        try:
            data = codec.call("publish", tuple(values[field] for field in codec.fields("publish")))
        except ValueOutOfBounds:  # beyond what the field's type holds: nobody can send it
            continue
        with pytest.raises(RpcError) as refused:
            running_world.connection.call(running_world.contracts.factory, data, "latest")
        assert isinstance(refused.value.data, str)
        reason = codec.reverted(bytes.fromhex(refused.value.data[2:]))
        assert reason.name == "TermsRules_OutOfRange"
        label, actual, minimum, maximum = reason.arguments
        assert isinstance(label, bytes)
        assert (label.rstrip(b"\0").decode(), actual, minimum, maximum) == (name, value, low, high)
