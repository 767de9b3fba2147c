"""The digests of `contracts/libraries/Digests.sol`: keccak256 over abi.encode(TYPE, chain id, task, round, attempt,
sender, ...), so that nothing fits another chain, task, round, attempt or sender."""

from __future__ import annotations

from dataclasses import dataclass, replace

from eth_abi import encode
from eth_utils import keccak

from bcfl_client.types import Opening, UpdateOpening

__all__ = [
    "Place",
    "challenge_digest",
    "claim_id",
    "content_hash",
    "fast_header_digest",
    "header_digest",
    "question_digest",
    "result_id",
    "seal_digest",
    "seals_digest",
    "target",
    "update_digest",
    "work_digest",
]

_PLACE = ["bytes32", "uint256", "address", "uint16", "uint8", "address"]
_UPDATE = keccak(text="BC-FL update")
_SEAL = keccak(text="BC-FL seal")
_BLOCK = keccak(text="BC-FL block")
_FAST_BLOCK = keccak(text="BC-FL fast block")
_CHALLENGE = keccak(text="BC-FL challenge")
_QUESTION = keccak(text="BC-FL question")


@dataclass(frozen=True)
class Place:
    """What a digest is bound to. Addresses are 0x-prefixed hex."""

    chain_id: int
    task: str
    round_id: int
    attempt: int
    sender: str

    def of(self, sender: str) -> Place:
        """The same place with another sender."""
        return replace(self, sender=sender)


def update_digest(place: Place, opening: UpdateOpening) -> bytes:
    """A trainer's commitment."""
    fields = ["bytes32", "bytes32", "uint32", "uint32", "bytes32"]
    return _digest(_UPDATE, place, fields, list(opening.values))


def seal_digest(place: Place, opening: Opening) -> bytes:
    """A miner's seal over its aggregate and scores."""
    fields = ["bytes32", "bytes32", "uint16", "bytes32", "bytes32"]
    values = [opening.root, opening.content_digest, opening.accuracy, _scores_digest(opening), opening.salt]
    return _digest(_SEAL, place, fields, values)


def fast_header_digest(place: Place, parent: bytes, inputs: int, opening: Opening, difficulty: int) -> bytes:
    """All of a fast block but its nonce; `inputs` is the bitmap of the round's inputs."""
    fields = ["bytes32", "uint128", "bytes32", "bytes32", "uint16", "uint256"]
    values = [parent, inputs, opening.root, opening.content_digest, opening.accuracy, difficulty]
    return _digest(_FAST_BLOCK, place, fields, values)


def challenge_digest(place: Place, seat: int, coordinate: int, salt: bytes) -> bytes:
    """What is committed to on the claim that `coordinate` of the result of miner `seat` is wrong."""
    return _digest(_CHALLENGE, place, ["uint8", "uint256", "bytes32"], [seat, coordinate, salt])


def question_digest(place: Place, seat: int, height: int, index: int) -> bytes:
    """The id of the claim that miner `seat` does not show what is below node `index` of `height`."""
    return _digest(_QUESTION, place, ["uint8", "uint256", "uint256"], [seat, height, index])


def claim_id(seat: int, digest: bytes, challenger: str) -> bytes:
    """The id of the claim that `challenger` commits to with `digest`, against miner `seat`."""
    return keccak(encode(["uint8", "bytes32", "address"], [seat, digest, challenger]))


def seals_digest(before: bytes, seat: int, seal: bytes) -> bytes:
    """The running digest over a round's seals after one more; it starts at 32 zero bytes."""
    return keccak(encode(["bytes32", "uint8", "bytes32"], [before, seat, seal]))


def header_digest(place: Place, parent: bytes, seals: bytes, opening: Opening, difficulty: int) -> bytes:
    """All of a block but its nonce."""
    fields = ["bytes32", "bytes32", "bytes32", "bytes32", "uint16", "bytes32", "uint256"]
    result = [opening.root, opening.content_digest, opening.accuracy, _scores_digest(opening)]
    return _digest(_BLOCK, place, fields, [parent, seals, *result, difficulty])


def work_digest(header: bytes, nonce: int) -> bytes:
    """The block hash; as a number it is at most `target(difficulty)`."""
    return keccak(header + nonce.to_bytes(32, "big"))


def target(difficulty: int) -> int:
    """Largest block hash that meets `difficulty`, the expected number of hashes."""
    return (2**256 - 1) // difficulty


def result_id(root: bytes, content_digest: bytes) -> bytes:
    """The id under which openers of the same result are counted."""
    return keccak(encode(["bytes32", "bytes32"], [root, content_digest]))


def content_hash(data: bytes) -> bytes:
    """keccak256 of a file, as the terms hold it."""
    return keccak(data)


def _scores_digest(opening: Opening) -> bytes:
    return keccak(b"".join(word.to_bytes(32, "big") for word in opening.scores))


def _digest(kind: bytes, place: Place, fields: list[str], values: list[object]) -> bytes:
    head = [kind, place.chain_id, place.task, place.round_id, place.attempt, place.sender]
    return keccak(encode(_PLACE + fields, head + values))
