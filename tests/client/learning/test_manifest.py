"""Task manifests: one canonical form, and strict reading of what a stranger wrote."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcfl_client.errors import ConfigError
from bcfl_client.learning.manifest import MAX_MANIFEST_BYTES, Hyperparameters, Manifest

MANIFEST = Manifest(
    model="2nn",
    tensors=(("1.weight", (200, 784)), ("1.bias", (200,))),
    dataset="mnist",
    input_shape=(28, 28),
    classes=10,
    hyperparameters=Hyperparameters(learning_rate=0.1, learning_rate_decay=0.99, batch_size=64),
    description="Handwritten digits, first task: größer",
)


def changed(**keys: Any) -> bytes:
    """The manifest with top-level keys replaced, canonical; None removes one."""
    values = json.loads(MANIFEST.to_bytes()) | keys
    kept = {key: value for key, value in values.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hyper(**keys: Any) -> bytes:
    return changed(hyperparameters=json.loads(MANIFEST.to_bytes())["hyperparameters"] | keys)


def test_has_one_canonical_form() -> None:
    """Sorted keys, no spaces, no fractions, UTF-8; and it reads back as itself."""
    data = MANIFEST.to_bytes()
    assert data.decode() == (
        '{"classes":10,"dataset":"mnist","description":"Handwritten digits, first task: größer","hyperparameters":'
        '{"batch_size":64,"learning_rate_decay_millionths":990000,"learning_rate_millionths":100000,"local_epochs":1,'
        '"momentum_millionths":0,"optimizer":"sgd"},"input_shape":[28,28],"model":"2nn","schema":1,'
        '"tensors":[["1.weight",[200,784]],["1.bias",[200]]]}'
    )
    assert Manifest.from_bytes(data) == MANIFEST
    assert MANIFEST.parameter_count == 157_000


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 100_000_000),
    st.integers(1, 1_000_000),
    st.integers(0, 999_999),
    st.just(0) | st.integers(1000, 10**12),
)
def test_fractions_survive_exactly(rate: int, decay: int, momentum: int, clipping: int) -> None:
    """Every multiple of a millionth comes back as the same float."""
    values = Hyperparameters(rate / 1e6, decay / 1e6, momentum / 1e6, clipping_norm=clipping / 1e6)
    assert Manifest.from_bytes(replace(MANIFEST, hyperparameters=values).to_bytes()).hyperparameters == values


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not JSON"),
        (b"\x80\x04\x95pickle", "not JSON"),
        (b"[" * 60000, "not JSON"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "65537 bytes, at most 65536"),
        (b"9" * 60000, "not JSON"),
        (changed(classes=10.0), "not JSON of strings and integers: '10.0 is not an integer'"),
        (b'{"classes":NaN}', "NaN is not an integer"),
        (changed(schema=2), "schema 2 is unknown"),
        (changed(schema=None), "schema None is unknown"),
        (changed(schema="1\x1b[2J"), r"schema '1\\x1b\[2J' is unknown"),
        (changed(schema=True), "canonical"),
        (changed(extra=1), "unknown key 'extra'"),
        (changed(**{"\x1b]0;own": 1}), r"unknown key '\\x1b\]0;own'"),
        (changed(model=None), "model is missing"),
        (changed(model=5), "model must be a text"),
        (changed(model=""), "model must be a text of 1 to 128"),
        (changed(model="m\x1b[31m"), "model holds characters that cannot be printed"),
        (changed(description="x" * 4097), "description must be a text of 0 to 4096"),
        (changed(description="a\nb"), "description holds characters"),
        (changed(description="\u202egnp.exe"), "description holds characters"),
        (changed(classes="10"), "classes must be an integer from 2 to 256, not '10'"),
        (changed(classes=True), "classes must be an integer"),
        (changed(classes=1), "classes must be an integer"),
        (changed(input_shape=[28]), "input_shape must be"),
        (changed(input_shape=28), "input_shape must be"),
        (changed(input_shape=[28, 4096]), "input_shape must be an integer from 1 to 1024"),
        (changed(tensors=[]), "tensors must have 1 to 1024"),
        (changed(tensors={"a": 1}), "tensors must be a list"),
        (changed(tensors=[["a"]]), "tensors must be a list"),
        (changed(tensors=[["a", [0]]]), "tensors must be an integer from 1"),
        (changed(tensors=[["a", [[1]]]]), "tensors must be an integer from 1"),
        (changed(tensors=[["a", [1] * 9]]), "more than 8 dimensions"),
        (changed(tensors=[["a", [65536, 65536]]]), "more than 2147483647 parameters"),
        (changed(tensors=[["a", [1]]] * 1025), "tensors must have 1 to 1024"),
        (changed(hyperparameters=[]), "hyperparameters must be an object"),
        (hyper(optimizer="adam"), "optimizer 'adam' is unknown"),
        (hyper(optimizer=["sgd"]), "optimizer must be a text"),
        (hyper(batch_size=0), "batch_size must be an integer from 1 to 65536, not 0"),
        (hyper(learning_rate_millionths="1"), "learning_rate_millionths must be an integer"),
        (hyper(learning_rate_millionths=0), "learning_rate must be a number"),
        (hyper(momentum_millionths=1000000), "momentum must be a number"),
        (hyper(clipping_norm_millionths=-1), "clipping_norm_millionths must be an integer"),
        (hyper(clipping_norm_millionths=10**12 + 1), "clipping_norm_millionths must be an integer"),
        (hyper(clipping_norm_millionths=0), "canonical"),
        (hyper(clipping_norm_millionths=999), "clipping_norm must be a number from 0.001 to 1e"),
        (hyper(weight_decay=1), "unknown key 'weight_decay' in hyperparameters"),
        (MANIFEST.to_bytes() + b"\n", "canonical"),
        (MANIFEST.to_bytes().replace(b'"classes":10,', b'"classes":3,"classes":10,'), "canonical"),
        (json.dumps(json.loads(MANIFEST.to_bytes())).encode(), "canonical"),
    ],
)
def test_E10_refuses_wrong_and_hostile_manifests(data: bytes, message: str) -> None:
    """Each wrong type, range, character or form is one short printable line that names the key."""
    with pytest.raises(ConfigError, match=message) as caught:
        Manifest.from_bytes(data)
    assert str(caught.value).startswith("manifest: ") and str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from([None, *json.loads(MANIFEST.to_bytes())]),
)
def test_E10_any_json_is_a_manifest_or_an_error(value: Any, key: str | None) -> None:
    """Random JSON, alone or in place of any key, never ends in anything but a manifest or a ConfigError."""
    data = json.dumps(value).encode() if key is None else changed(**{key: value})
    with contextlib.suppress(ConfigError):
        Manifest.from_bytes(data)


def test_refuses_to_write_what_it_would_not_read() -> None:
    """Wrong values are caught where they are given, fractions finer than a millionth included."""
    with pytest.raises(ConfigError, match="learning_rate has more than 6 decimals"):
        Hyperparameters(learning_rate=0.12345678)
    for bad in (float("nan"), float("inf"), -1.0, "0.1", True):
        with pytest.raises(ConfigError, match="learning_rate must be a number"):
            Hyperparameters(learning_rate=bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="65536 are allowed"):
        replace(MANIFEST, tensors=tuple((f"{i:0200}", (1,)) for i in range(1000))).to_bytes()
