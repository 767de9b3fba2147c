"""The task manifest: what a participant needs to know to train for a task, as canonical JSON in the content store.

Canonical: UTF-8, sorted keys, no spaces, integers and strings only (fractions are counted in millionths), so that the
same manifest is always the same bytes. It is data from a stranger: nothing in it is imported, opened or run, and its
model name is only a label; each participant names the code in its own configuration and checks the shapes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bcfl_client.errors import ConfigError

__all__ = ["MAX_MANIFEST_BYTES", "Hyperparameters", "Manifest"]

MAX_MANIFEST_BYTES = 65536
SCHEMA = 1
_MILLION = 1_000_000
_MAX_TENSORS, _MAX_PARAMETERS = 1024, 2**31 - 1
_MILLIONTHS = {
    "learning_rate": (1, 100 * _MILLION),
    "learning_rate_decay": (1, _MILLION),
    "momentum": (0, _MILLION - 1),
    "clipping_norm": (1000, _MILLION * _MILLION),  # shorter steps would be rounding, or pass for none
}
_OPTIONAL = ("clipping_norm",)  # may be 0, and is then left out


@dataclass(frozen=True)
class Hyperparameters:
    """How every trainer trains: plain stochastic gradient descent on the cross-entropy.

    The step size of round r, counted from 0, is learning_rate * learning_rate_decay ** r. With a `clipping_norm` (at
    least 0.001; 0 is none) an update is at most so far from the global model, Euclidean, in the parameters' unit:
    trainers scale longer steps down, miners refuse them.
    Fractions are multiples of one millionth. Raises ConfigError for values out of range. The default step is large
    because inputs are in [0, 1], unscaled: it reaches 0.966 or more on MNIST in 10 rounds (10 trainers, Dirichlet 0.5).
    """

    learning_rate: float = 0.3
    learning_rate_decay: float = 1.0
    momentum: float = 0.0
    batch_size: int = 32
    local_epochs: int = 1
    optimizer: str = "sgd"
    clipping_norm: float = 0.0

    def __post_init__(self) -> None:
        if self.optimizer != "sgd":
            raise ConfigError(f"optimizer {self.optimizer!r} is unknown: use sgd")
        for key, (low, high) in _MILLIONTHS.items():
            value = getattr(self, key)
            _check_fraction(key, value, 0 if key in _OPTIONAL and value == 0 else low, high)
        _check_integer("batch_size", self.batch_size, 1, 65536)
        _check_integer("local_epochs", self.local_epochs, 1, 1000)


@dataclass(frozen=True)
class Manifest:
    """A task's manifest. `tensors` are (name, shape) in `state_dict` order. Raises ConfigError, naming the key."""

    model: str
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    dataset: str
    input_shape: tuple[int, int]
    classes: int
    hyperparameters: Hyperparameters
    description: str = ""

    def __post_init__(self) -> None:
        _check_text("model", self.model, 1, 128)
        _check_text("dataset", self.dataset, 1, 64)
        _check_text("description", self.description, 0, 4096)
        _check_integer("classes", self.classes, 2, 256)
        if len(self.input_shape) != 2:
            raise ConfigError("input_shape must be [height, width]")
        for side in self.input_shape:
            _check_integer("input_shape", side, 1, 1024)
        if not 1 <= len(self.tensors) <= _MAX_TENSORS:
            raise ConfigError(f"tensors must have 1 to {_MAX_TENSORS} entries, not {len(self.tensors)}")
        for name, shape in self.tensors:
            _check_text("tensors", name, 1, 256)
            if len(shape) > 8:
                raise ConfigError(f"tensors: {name} has more than 8 dimensions")
            for side in shape:
                _check_integer("tensors", side, 1, _MAX_PARAMETERS)
        if self.parameter_count > _MAX_PARAMETERS:
            raise ConfigError(f"tensors: more than {_MAX_PARAMETERS} parameters")

    @property
    def parameter_count(self) -> int:
        """Number of parameters: the sum of the sizes of all tensors."""
        total = 0
        for _, shape in self.tensors:
            size = 1
            for side in shape:
                size *= side
            total += size
        return total

    def to_bytes(self) -> bytes:
        """Returns the manifest's one and only form. Raises ConfigError above 64 KiB."""
        values = asdict(self)
        hyper = values["hyperparameters"]
        for key in _MILLIONTHS:
            value = hyper.pop(key)
            if value or key not in _OPTIONAL:
                hyper[f"{key}_millionths"] = round(value * _MILLION)
        data = _canonical(values | {"schema": SCHEMA})
        if len(data) > MAX_MANIFEST_BYTES:
            raise ConfigError(f"{len(data)} bytes, at most {MAX_MANIFEST_BYTES} are allowed")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Returns the manifest in `data`, which may be hostile. Raises ConfigError naming the key that is wrong."""
        try:
            return cls._from_values(_parse(data), data)
        except ConfigError as error:
            raise ConfigError(f"manifest: {error}") from error

    @classmethod
    def _from_values(cls, values: dict[str, Any], data: bytes) -> Manifest:
        schema = values.pop("schema", None)
        if schema != SCHEMA:
            raise ConfigError(f"schema {_shown(schema)} is unknown, this version reads schema {SCHEMA}")
        keys = ("model", "tensors", "dataset", "input_shape", "classes", "hyperparameters", "description")
        _check_keys("the manifest", values, keys)
        manifest = cls(
            model=values["model"],
            tensors=_tensors(values["tensors"]),
            dataset=values["dataset"],
            input_shape=_pair(values["input_shape"]),
            classes=values["classes"],
            hyperparameters=_hyperparameters(values["hyperparameters"]),
            description=values["description"],
        )
        if manifest.to_bytes() != data:
            raise ConfigError("not in canonical form (sorted keys, no spaces, UTF-8)")
        return manifest


def _canonical(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_MANIFEST_BYTES:
        raise ConfigError(f"{len(data)} bytes, at most {MAX_MANIFEST_BYTES} are allowed")

    def refuse(text: str) -> None:
        raise ValueError(f"{text[:20]} is not an integer")

    try:
        values = json.loads(data.decode(), parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not JSON of strings and integers: {_shown(str(error))}") from error
    if not isinstance(values, dict):
        raise ConfigError("not a JSON object")
    return values


def _hyperparameters(values: Any) -> Hyperparameters:
    names = {f"{key}_millionths": key for key in _MILLIONTHS}
    optional = tuple(name for name, key in names.items() if key in _OPTIONAL)
    _check_keys("hyperparameters", values, (*names, "batch_size", "local_epochs", "optimizer"), optional)
    fractions = {key: values[name] for name, key in names.items() if name in values}
    for key, value in fractions.items():
        _check_integer(f"{key}_millionths", value, 0, max(high for _, high in _MILLIONTHS.values()))
    _check_text("optimizer", values["optimizer"], 1, 32)
    return Hyperparameters(
        **{key: value / _MILLION for key, value in fractions.items()},
        batch_size=values["batch_size"],
        local_epochs=values["local_epochs"],
        optimizer=values["optimizer"],
    )


def _tensors(values: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if not isinstance(values, list):
        raise ConfigError("tensors must be a list of [name, [sides]]")
    for entry in values:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list)):
            raise ConfigError("tensors must be a list of [name, [sides]]")
    return tuple((name, tuple(shape)) for name, shape in values)


def _pair(values: Any) -> tuple[int, int]:
    if not (isinstance(values, list) and len(values) == 2):
        raise ConfigError("input_shape must be [height, width]")
    return values[0], values[1]


def _check_keys(where: str, values: Any, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be an object")
    for key in values:
        if key not in keys:
            raise ConfigError(f"unknown key {_shown(key)} in {where}")
    for key in keys:
        if key not in values and key not in optional:
            raise ConfigError(f"{key} is missing in {where}")


def _check_integer(key: str, value: Any, low: int, high: int) -> None:
    # bool is an int to Python, not to a reader of the manifest.
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{key} must be an integer from {low} to {high}, not {_shown(value)}")


def _check_fraction(key: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value * _MILLION <= high:
        limits = f"from {low / _MILLION:g} to {high / _MILLION:g}"
        raise ConfigError(f"{key} must be a number {limits}, not {_shown(value)}")
    if round(value * _MILLION) / _MILLION != value:
        raise ConfigError(f"{key} has more than 6 decimals: {value!r}")


def _check_text(key: str, value: Any, shortest: int, longest: int) -> None:
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise ConfigError(f"{key} must be a text of {shortest} to {longest} characters")
    # Control codes could rewrite the reader's terminal; isprintable() refuses them and invisible format characters.
    if not value.isprintable():
        raise ConfigError(f"{key} holds characters that cannot be printed")


def _shown(value: Any) -> str:
    """A stranger's value, short and printable, for a message."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
