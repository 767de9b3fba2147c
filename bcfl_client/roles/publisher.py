"""The publisher: makes a task's description a contract with the reward in escrow (paper, section III-B, function 1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bcfl_client.chain.connection import Connection
from bcfl_client.chain.contracts import artifact, require_factory
from bcfl_client.chain.digests import content_hash
from bcfl_client.chain.sender import Sender
from bcfl_client.chain.task import read_logs
from bcfl_client.errors import ChainMismatch
from bcfl_client.learning.datasets import held_out_validation, load_dataset
from bcfl_client.learning.encoding import encode_model, encode_parameters
from bcfl_client.learning.manifest import Manifest
from bcfl_client.learning.models import build_model
from bcfl_client.learning.tree import parameter_root
from bcfl_client.learning.validation import ValidationSet, encode_validation
from bcfl_client.roles.task_config import TaskConfig
from bcfl_client.storage import ContentStore

__all__ = ["publish"]


def publish(
    connection: Connection,
    sender: Sender,
    store: ContentStore,
    factory: str,
    config: TaskConfig,
    data_root: Path | None,
) -> str:
    """The address of a new task of `factory`, its reward in escrow, its public parts in `store`.

    The sender's account is the publisher; `data_root` as in `load_dataset`. Raises InputError before anything is
    stored or sent when dataset, model, factory or funds do not fit, ContractReverted when the terms do not.
    """
    require_factory(connection, factory)
    codec = artifact("TaskFactory").codec
    fee = int(codec.result("taskFee", connection.call(factory, codec.call("taskFee"))))
    value = config.terms["reward"] + fee
    if (balance := connection.balance(sender.address)) < value:
        raise ChainMismatch(
            f"account {sender.address} has {balance} wei, the task's reward and fee are {value} wei; "
            "fund it, or lower the reward"
        )
    parts = _parts(config, data_root)
    terms = {**config.terms.for_contract(), **_put(store, parts)}
    call = codec.call("publish", tuple(terms[name] for name in codec.fields("publish")))
    receipt = sender.wait(sender.send(factory, call, value, codec, "publish"), codec=codec)
    made = read_logs(connection, factory, codec, receipt.block, receipt.block)
    return next(
        str(event.args["task"])
        for event in made
        if event.name == "TaskPublished" and event.transaction == receipt.transaction
    )


@dataclass(frozen=True)
class _Parts:
    """A task's public files, and what the chain says about the initial model."""

    initial: bytes
    initial_root: bytes
    manifest: bytes
    validation: bytes


def _parts(config: TaskConfig, data_root: Path | None) -> _Parts:
    dataset = load_dataset(config.dataset, data_root)
    _, held_out = held_out_validation(dataset)
    model = build_model(config.model, dataset.input_shape, dataset.classes, config.seed)
    manifest = Manifest(
        model=config.model,
        tensors=tuple((tensor.name, tensor.shape) for tensor in model.shapes),
        dataset=config.dataset,
        input_shape=dataset.input_shape,
        classes=dataset.classes,
        hyperparameters=config.hyperparameters,
        description=config.description,
    )
    validation = ValidationSet(dataset.train_images[held_out], dataset.train_labels[held_out], dataset.classes)
    initial = encode_parameters(encode_model(model))
    return _Parts(initial, parameter_root(initial), manifest.to_bytes(), encode_validation(validation))


def _put(store: ContentStore, parts: _Parts) -> dict[str, object]:
    """Stores the parts; returns the terms that name them."""
    return {
        "initialRoot": parts.initial_root,
        "initialContent": store.put(parts.initial).digest,
        "parameterCount": len(parts.initial) // 4,
        "manifestContent": store.put(parts.manifest).digest,
        "manifestHash": content_hash(parts.manifest),
        "manifestSize": len(parts.manifest),
        "validationContent": store.put(parts.validation).digest,
        "validationHash": content_hash(parts.validation),
        "validationSize": len(parts.validation),
    }
