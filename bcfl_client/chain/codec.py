"""ABI encoding and decoding of one contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import keccak, to_checksum_address
from eth_utils.abi import collapse_if_tuple

from bcfl_client.errors import ChainError, ContractReverted
from bcfl_client.types import Event

__all__ = ["Codec"]

_Abi = Mapping[str, Any]


@dataclass(frozen=True)
class _Item:
    entry: _Abi
    inputs: list[str]
    outputs: list[str]
    selector: bytes


class Codec:
    """Calls, results, logs and errors of a contract with the given `abi` entries."""

    def __init__(self, abi: Sequence[_Abi]) -> None:
        self._functions: dict[str, _Item] = {}
        self._errors: dict[bytes, _Item] = {}
        self._events: dict[bytes, _Item] = {}
        self._constructor: list[str] = []
        for entry in abi:
            inputs = [_type(parameter) for parameter in entry.get("inputs", [])]
            if entry["type"] == "constructor":
                self._constructor = inputs
            if entry["type"] not in ("function", "event", "error"):
                continue
            outputs = [_type(parameter) for parameter in entry.get("outputs", [])]
            digest = keccak(text=f"{entry['name']}({','.join(inputs)})")
            item = _Item(entry, inputs, outputs, digest[:4])
            if entry["type"] == "function":
                self._functions[entry["name"]] = item
            elif entry["type"] == "error":
                self._errors[digest[:4]] = item
            else:
                self._events[digest] = item

    @property
    def error_names(self) -> set[str]:
        """Names of the contract's custom errors."""
        return {item.entry["name"] for item in self._errors.values()}

    def constructor(self, *args: object) -> bytes:
        """The encoded arguments that follow the creation code."""
        return encode(self._constructor, args)

    def call(self, name: str, *args: object) -> bytes:
        """Calldata of function `name`; structs are sequences in the contract's order of fields."""
        item = self._functions[name]
        return item.selector + encode(item.inputs, args)

    def fields(self, name: str) -> list[str]:
        """Names in the struct that function `name` takes first, in the contract's order."""
        return [parameter["name"] for parameter in self._functions[name].entry["inputs"][0]["components"]]

    def result(self, name: str, data: bytes) -> Any:
        """The decoded result of function `name`; structs are dicts, a single value stands alone."""
        item = self._functions[name]
        try:
            values = decode(item.outputs, data)
        except DecodingError as error:
            raise ChainError(f"{name}: the answer is not what this contract returns ({error})") from error
        named = [_named(p, v) for p, v in zip(item.entry["outputs"], values)]
        return named[0] if len(named) == 1 else tuple(named)

    def event(self, log: Mapping[str, Any]) -> Event | None:
        """The event of a raw `log`; None when the contract has no such event. Raises ChainError when damaged."""
        try:
            topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
            item = self._events.get(topics[0]) if topics else None
            if item is None:
                return None
            inputs = item.entry["inputs"]
            indexed = [p for p in inputs if p["indexed"]]
            plain = [p for p in inputs if not p["indexed"]]
            values = decode([_type(p) for p in plain], bytes.fromhex(log["data"][2:]))
            args = {p["name"]: _named(p, v) for p, v in zip(plain, values)}
            for parameter, topic in zip(indexed, topics[1:], strict=True):
                args[parameter["name"]] = _named(parameter, decode([_type(parameter)], topic)[0])
            return Event(
                item.entry["name"],
                args,
                to_checksum_address(log["address"]),
                int(log["blockNumber"], 16),
                int(log["logIndex"], 16),
                log["transactionHash"],
            )
        except (KeyError, TypeError, ValueError, DecodingError) as error:
            raise ChainError(f"the chain gave a damaged log ({type(error).__name__}: {error})") from error

    def function(self, data: bytes) -> str:
        """Name of the function that calldata is for; "unknown" when the contract has none such."""
        return next((name for name, item in self._functions.items() if item.selector == data[:4]), "unknown")

    def topic(self, name: str) -> str:
        """First topic of event `name`, 0x-prefixed."""
        return next("0x" + digest.hex() for digest, item in self._events.items() if item.entry["name"] == name)

    def reverted(self, data: bytes, context: str = "") -> ContractReverted:
        """The error that a revert's `data` stands for."""
        item = self._errors.get(data[:4])
        if item is None:
            return ContractReverted("unknown error", ("0x" + data[:36].hex(),), context)
        values = decode(item.inputs, data[4:])
        named = tuple(_named(p, v) for p, v in zip(item.entry["inputs"], values))
        return ContractReverted(item.entry["name"], named, context)


def _type(parameter: _Abi) -> str:
    return collapse_if_tuple(parameter)  # type: ignore[arg-type]


def _named(parameter: _Abi, value: Any) -> Any:
    if parameter["type"] == "tuple":
        return {p["name"]: _named(p, v) for p, v in zip(parameter["components"], value)}
    if parameter["type"] == "tuple[]":
        return [{p["name"]: _named(p, v) for p, v in zip(parameter["components"], item)} for item in value]
    if parameter["type"] == "address":
        return to_checksum_address(value)
    return value
