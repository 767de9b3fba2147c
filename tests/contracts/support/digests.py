"""The task's digests, written again from the description in `contracts/libraries/Digests.sol`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from eth_abi import encode
from eth_hash.auto import keccak

UPDATE = keccak(b"BC-FL update")
SEAL = keccak(b"BC-FL seal")
BLOCK = keccak(b"BC-FL block")
FAST_BLOCK = keccak(b"BC-FL fast block")
CHALLENGE = keccak(b"BC-FL challenge")
QUESTION = keccak(b"BC-FL question")
PLACE = ["bytes32", "uint256", "address", "uint16", "uint8", "address"]
ZERO = b"\x00" * 32


class Place(NamedTuple):
    """What a digest is bound to."""

    chain_id: int
    task: str
    round: int
    attempt: int
    sender: str


@dataclass(frozen=True)
class Update:
    """A trainer's update; `training_time` in milliseconds."""

    root: bytes
    content_id: bytes
    samples: int
    training_time: int
    salt: bytes

    def values(self) -> tuple[bytes, bytes, int, int, bytes]:
        return self.root, self.content_id, self.samples, self.training_time, self.salt


@dataclass(frozen=True)
class Opening:
    """A miner's result; `accuracy` in basis points, `scores` per trainer seat (of 65,535)."""

    root: bytes
    content_id: bytes
    accuracy: int
    scores: tuple[int, ...]
    salt: bytes

    def words(self) -> list[int]:
        return pack(self.scores)

    def values(self) -> tuple[bytes, bytes, int, list[int], bytes]:
        return self.root, self.content_id, self.accuracy, self.words(), self.salt


def pack(scores: tuple[int, ...]) -> list[int]:
    """16-bit scores, sixteen to a word from the low end."""
    return [
        sum(score << (16 * lane) for lane, score in enumerate(scores[first : first + 16]))
        for first in range(0, len(scores), 16)
    ]


def unpack(words: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The first `count` scores of `words`."""
    return tuple(words[seat // 16] >> (16 * (seat % 16)) & 0xFFFF for seat in range(count))


def update(place: Place, made: Update) -> bytes:
    """A trainer's commitment."""
    return _digest(UPDATE, place, ["bytes32", "bytes32", "uint256", "uint256", "bytes32"], made.values())


def seal(place: Place, opening: Opening) -> bytes:
    """A miner's seal."""
    return _digest(
        SEAL,
        place,
        ["bytes32", "bytes32", "uint16", "bytes32", "bytes32"],
        (opening.root, opening.content_id, opening.accuracy, _scores(opening), opening.salt),
    )


def header(place: Place, parent: bytes, seals: bytes, opening: Opening, difficulty: int) -> bytes:
    """All that a block's work is bound to but the nonce."""
    return _digest(
        BLOCK,
        place,
        ["bytes32", "bytes32", "bytes32", "bytes32", "uint16", "bytes32", "uint256"],
        (parent, seals, opening.root, opening.content_id, opening.accuracy, _scores(opening), difficulty),
    )


def fast_header(place: Place, parent: bytes, inputs: int, opening: Opening, difficulty: int) -> bytes:
    """The same of a block without seals; `inputs` is a bitmap."""
    return _digest(
        FAST_BLOCK,
        place,
        ["bytes32", "uint128", "bytes32", "bytes32", "uint16", "uint256"],
        (parent, inputs, opening.root, opening.content_id, opening.accuracy, difficulty),
    )


def challenge(place: Place, seat: int, coordinate: int, salt: bytes) -> bytes:
    """What is committed to on the claim that a coordinate of a miner's result is wrong."""
    return _digest(CHALLENGE, place, ["uint8", "uint256", "bytes32"], (seat, coordinate, salt))


def claim(seat: int, digest: bytes, challenger: object) -> bytes:
    """The id of the claim that an account commits to against a miner."""
    return keccak(encode(["uint8", "bytes32", "address"], [seat, digest, str(challenger)]))


def question(place: Place, seat: int, height: int, index: int) -> bytes:
    """The claim that a miner does not show what is below a node."""
    return _digest(QUESTION, place, ["uint8", "uint256", "uint256"], (seat, height, index))


def work(header_digest: bytes, nonce: int) -> bytes:
    """The block hash."""
    return keccak(encode(["bytes32", "uint256"], [header_digest, nonce]))


def seals(digests: list[tuple[int, bytes]]) -> bytes:
    """The running digest over (miner seat, seal) in order of arrival."""
    running = ZERO
    for seat, digest in digests:
        running = keccak(encode(["bytes32", "uint8", "bytes32"], [running, seat, digest]))
    return running


def result(opening: Opening) -> bytes:
    """The id under which openers of the same result are counted."""
    return keccak(encode(["bytes32", "bytes32"], [opening.root, opening.content_id]))


def mine(header_digest: bytes, difficulty: int, *, enough: bool = True) -> tuple[int, bytes]:
    """The first nonce that meets `difficulty` (or, with `enough` false, misses it), and its hash."""
    limit = target(difficulty)
    nonce = 0
    while (int.from_bytes(work(header_digest, nonce), "big") <= limit) is not enough:
        nonce += 1
    return nonce, work(header_digest, nonce)


def target(difficulty: int) -> int:
    """The largest block hash that meets `difficulty`."""
    return (2**256 - 1) // difficulty


def _scores(opening: Opening) -> bytes:
    return keccak(b"".join(word.to_bytes(32, "big") for word in opening.words()))


def _digest(kind: bytes, place: Place, types: list[str], values: tuple) -> bytes:
    return keccak(encode(PLACE + types, [kind, *place, *values]))
