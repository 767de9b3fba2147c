"""Writes tests/vectors/aggregation.json: numbers that a second implementation of BC-FL must reproduce.

Written with Python integers and a keccak of another origin, not with the package, so that the package's tests compare
two implementations. Run from the repository's root: `python scripts/make_vectors.py`.
"""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path

import sha3

OUTPUT = Path("tests/vectors/aggregation.json")
LOW, HIGH = -(2**31), 2**31 - 1
COUNTS = (1, 31, 32, 33, 64, 65, 96, 1000)

DESCRIPTION = [
    "Byte strings are hexadecimal without a prefix. Integers that may exceed 2^53 do not occur.",
    "encoding: `float` is an IEEE 754 binary32 number in C's hexadecimal form; `fixed` the int32 nearest to it times "
    "2^24, ties to even; `bytes` is that int32 little-endian. `refused` must be an error.",
    "tree: parameter i of a model with n parameters is the int32 with the 32-bit pattern (2654435761 * i + 40503 * n) "
    "mod 2^32; `data` is their concatenation, little-endian. leaf = keccak256(00 || 128 bytes: parameters 32 i .. "
    "32 i + 31, zeros after the last), node = keccak256(01 || left || right), an odd last node moves up unchanged, "
    "root = keccak256(02 || uint32 big-endian n || uint32 big-endian number of leaves || top). keccak256: Ethereum's.",
    "tree.proofs: siblings from the leaf upwards, none for a level where the node moved up. All must verify.",
    "tree_refused: (root, n, index, leaf, siblings) that must not verify, and why.",
    "weighted_mean: `mean` is floor(sum(weight * update) / sum(weight)) per coordinate, floor towards minus infinity; "
    "the order of the updates must not matter.",
    "median: `median` is the middle value per coordinate, of two the floor of their mean; weights have no influence.",
    "trimmed_mean: per coordinate sort by (value, position), drop floor(updates * trim_share / 10000) at each end; "
    "`mean` is the weighted mean of the rest, floored as above. The order of the updates is that of the seats.",
    "weights: weight = max(1, samples * quality // 65535).",
]


def keccak(data: bytes) -> bytes:
    return sha3.keccak_256(data).digest()


def fixed(value: float) -> int:
    return round(Fraction(value) * 2**24)  # exact, ties to even


def single(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def encoding() -> dict[str, object]:
    tick = 2.0**-24
    values = [
        0.0,
        1.0,
        -1.0,
        single(0.1),
        single(-0.1),
        single(3.14159),
        128 - 2.0**-17,
        -128.0,
        tick,
        -tick,
        tick / 2,
        -tick / 2,
    ]
    values += [
        1.5 * tick,
        -1.5 * tick,
        2.5 * tick,
        -2.5 * tick,
        single(0.5000001 * tick),
        single(1e-30),
        single(-1e-30),
    ]
    rows = [
        {"float": v.hex(), "fixed": fixed(v), "bytes": fixed(v).to_bytes(4, "little", signed=True).hex()}
        for v in values
    ]
    refused = ["nan", "inf", "-inf", (128.0).hex(), (-128 - 2.0**-16).hex(), single(1e30).hex()]
    return {"values": rows, "refused": refused}


def parameters(count: int) -> bytes:
    return b"".join(((2654435761 * i + 40503 * count) % 2**32).to_bytes(4, "little") for i in range(count))


def levels(data: bytes) -> list[list[bytes]]:
    padded = data + bytes(-len(data) % 128)
    result = [[keccak(b"\0" + padded[i : i + 128]) for i in range(0, len(padded), 128)]]
    while len(result[-1]) > 1:
        below = result[-1]
        pairs = [below[i : i + 2] for i in range(0, len(below), 2)]
        result.append([keccak(b"\1" + pair[0] + pair[1]) if len(pair) == 2 else pair[0] for pair in pairs])
    return result


def root(count: int, built: list[list[bytes]]) -> bytes:
    return keccak(b"\2" + count.to_bytes(4, "big") + len(built[0]).to_bytes(4, "big") + built[-1][0])


def leaf(data: bytes, index: int) -> bytes:
    return data[128 * index : 128 * index + 128].ljust(128, b"\0")


def siblings(built: list[list[bytes]], index: int) -> list[bytes]:
    proof = []
    for level in built[:-1]:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        index //= 2
    return proof


def statement(top: bytes, count: int, index: int, piece: bytes, proof: list[bytes]) -> dict[str, object]:
    return {
        "root": top.hex(),
        "parameters": count,
        "index": index,
        "leaf": piece.hex(),
        "siblings": [sibling.hex() for sibling in proof],
    }


def trees() -> list[dict[str, object]]:
    result = []
    for count in COUNTS:
        data = parameters(count)
        built = levels(data)
        last = len(built[0]) - 1
        proofs = [
            {"index": i, "leaf": leaf(data, i).hex(), "siblings": [s.hex() for s in siblings(built, i)]}
            for i in sorted({0, last // 2, last})
        ]
        result.append(
            {
                "parameters": count,
                "leaves": last + 1,
                "data_keccak256": keccak(data).hex(),
                "top": built[-1][0].hex(),
                "root": root(count, built).hex(),
                "proofs": proofs,
            }
        )
    return result


def refused() -> list[dict[str, object]]:
    """The proof games of the threat model's row D08."""
    count = 96
    data = parameters(count)
    built = levels(data)
    top, proof = root(count, built), siblings(built, 0)
    padded = data[: 4 * 95] + b"\0\0\0\1"
    forged = levels(padded)
    cases = {
        "wrong index": statement(top, count, 1, leaf(data, 0), proof),
        "index beyond the last leaf": statement(top, count, 3, leaf(data, 2), siblings(built, 2)),
        "path too short": statement(top, count, 0, leaf(data, 0), proof[:1]),
        "path too long": statement(top, count, 0, leaf(data, 0), [*proof, proof[-1]]),
        "siblings swapped": statement(top, count, 0, leaf(data, 0), proof[::-1]),
        "other leaf": statement(top, count, 0, leaf(data, 1), proof),
        "count off by one": statement(top, 95, 0, leaf(data, 0), proof),
        "last node paired with itself instead of moving up": statement(
            top, count, 2, leaf(data, 2), [built[0][2], *siblings(built, 2)]
        ),
        "inner node shown as a leaf": statement(
            top, count, 0, (built[0][0] + built[0][1]).ljust(128, b"\0"), proof[1:]
        ),
        "tail not padded with zeros": statement(root(95, forged), 95, 2, leaf(padded, 2), siblings(forged, 2)),
    }
    return [{"why": why, **case} for why, case in cases.items()]


def means() -> list[dict[str, object]]:
    cases = [
        ([[5], [6]], [1, 1]),
        ([[-5], [-6]], [1, 1]),
        ([[-1, 1, 0, -7], [0, 0, -1, 7]], [1, 2]),
        ([[HIGH, LOW, HIGH, LOW], [HIGH, LOW, LOW, HIGH]], [2**30, 2**30 - 1]),
        ([[HIGH, LOW, -1]], [2**31 - 1]),
        ([[LOW, HIGH], [LOW + 1, HIGH - 1], [0, 0]], [1, 1, 0]),
        ([[100, -100, 7], [250, -250, 8], [-3, 3, 9]], [5900, 1, 333]),
    ]
    result = []
    for updates, weights in cases:
        columns = zip(*updates)
        mean = [sum(w * x for w, x in zip(weights, column)) // sum(weights) for column in columns]
        result.append({"updates": updates, "weights": weights, "mean": mean})
    return result


def medians() -> list[dict[str, object]]:
    cases = [
        [[5], [6]],
        [[-5, -1, LOW, LOW, HIGH], [-6, 0, LOW, HIGH, HIGH]],
        [[3, -3, 0], [1, -1, HIGH], [2, -2, LOW]],
        [[LOW, 7], [LOW + 1, 7], [HIGH, 7], [HIGH - 1, -8]],
        [[HIGH, LOW]],
    ]
    result = []
    for updates in cases:
        columns = [sorted(column) for column in zip(*updates)]
        middle = [(column[(len(column) - 1) // 2] + column[len(column) // 2]) // 2 for column in columns]
        result.append({"updates": updates, "median": middle})
    return result


def trimmed_means() -> list[dict[str, object]]:
    ten = [[(37 * i) % 10 - 5, (i * i) % 7, LOW if i % 2 else HIGH] for i in range(10)]
    cases = [
        (ten, list(range(1, 11)), 0),
        (ten, list(range(1, 11)), 999),
        (ten, list(range(1, 11)), 1000),
        (ten, list(range(1, 11)), 4999),
        ([[5], [5], [5], [6]], [1, 2, 3, 1000], 2500),
        ([[0, 1], [0, 1], [1, 0]], [5, 1, 9], 3334),
        ([[LOW, HIGH], [LOW, HIGH], [LOW, HIGH]], [2**30, 2**30 - 2, 1], 4000),
        ([[-7, 7]], [3], 4999),
    ]
    result = []
    for updates, weights, trim_share in cases:
        trimmed = len(updates) * trim_share // 10_000
        mean = []
        for column in zip(*updates):
            order = sorted(range(len(column)), key=lambda i: (column[i], i))
            kept = order[trimmed : len(order) - trimmed]
            mean.append(sum(weights[i] * column[i] for i in kept) // sum(weights[i] for i in kept))
        result.append({"updates": updates, "weights": weights, "trim_share": trim_share, "mean": mean})
    return result


def weights() -> list[dict[str, int]]:
    cases = [
        (1, 1),
        (1, 65535),
        (5900, 32768),
        (5900, 65535),
        (5900, 0),
        (3, 21845),
        (2**31 - 1, 65535),
        (2**31 - 1, 1),
    ]
    return [{"samples": s, "quality": q, "weight": max(1, s * q // 65535)} for s, q in cases]


def main() -> None:
    vectors = {
        "description": DESCRIPTION,
        "encoding": encoding(),
        "tree": trees(),
        "tree_refused": refused(),
        "weighted_mean": means(),
        "median": medians(),
        "trimmed_mean": trimmed_means(),
        "weights": weights(),
    }
    OUTPUT.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
