"""Keccak-256 of many short messages at once, compiled by numba.

A model's tree takes a hundred thousand hashes of one block each. Eight are computed side by side, so that the
compiler turns each step into vector instructions. Source: FIPS 202, section 3, and the Keccak reference.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "DIGEST_BYTES", "keccak256_blocks"]

BLOCK_BYTES = 136
DIGEST_BYTES = 32

_LANES = 8  # messages side by side
_WORDS = BLOCK_BYTES // 8
_ROUNDS = 24


def keccak256_blocks(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the digests uint8 [n, 32] of n messages that are padded to one block each, uint8 [n, 136]."""
    words = np.ascontiguousarray(blocks).view("<u8")  # [n, 17]
    digests = np.empty((len(words), DIGEST_BYTES // 8), dtype="<u8")
    _hash_all(words, digests, _ROUND_CONSTANTS)
    return digests.view(np.uint8)


def _round_constants() -> NDArray[np.uint64]:
    """Returns FIPS 202's iota constants: bit 2^j - 1 of round i is the output 7 i + j of a shift register."""
    constants, register = [], 1
    for _ in range(_ROUNDS):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        constants.append(constant)
    return np.array(constants, dtype=np.uint64)


_ROUND_CONSTANTS = _round_constants()


@njit(inline="always")
def _rotate(word, bits):  # type: ignore[no-untyped-def]  # the types are numba's
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def _hash_all(words, digests, constants):  # type: ignore[no-untyped-def]  # the types are numba's
    """Absorbs one block per message, uint64 [n, 17], into uint64 [n, 4]."""
    state = np.empty((25, _LANES), np.uint64)  # word x + 5 y of message j at [x + 5 y, j]
    for start in range(0, len(words), _LANES):
        used = min(_LANES, len(words) - start)
        state[:] = 0
        for j in range(used):
            for i in range(_WORDS):
                state[i, j] = words[start + j, i]
        for constant in constants:
            _round(state, constant)
        for j in range(used):
            for i in range(digests.shape[1]):
                digests[start + j, i] = state[i, j]


@njit(inline="always")
def _round(state, constant):  # type: ignore[no-untyped-def]  # the types are numba's
    """One round of Keccak-f[1600] on all messages. Written out: only a loop without loops inside becomes vectors."""
    for j in range(_LANES):
        # Theta: every column's parity.
        c0 = state[0, j] ^ state[5, j] ^ state[10, j] ^ state[15, j] ^ state[20, j]
        c1 = state[1, j] ^ state[6, j] ^ state[11, j] ^ state[16, j] ^ state[21, j]
        c2 = state[2, j] ^ state[7, j] ^ state[12, j] ^ state[17, j] ^ state[22, j]
        c3 = state[3, j] ^ state[8, j] ^ state[13, j] ^ state[18, j] ^ state[23, j]
        c4 = state[4, j] ^ state[9, j] ^ state[14, j] ^ state[19, j] ^ state[24, j]
        d0 = c4 ^ _rotate(c1, 1)
        d1 = c0 ^ _rotate(c2, 1)
        d2 = c1 ^ _rotate(c3, 1)
        d3 = c2 ^ _rotate(c4, 1)
        d4 = c3 ^ _rotate(c0, 1)
        # Rho and pi: turned and moved words.
        b0 = state[0, j] ^ d0
        b1 = _rotate(state[6, j] ^ d1, 44)
        b2 = _rotate(state[12, j] ^ d2, 43)
        b3 = _rotate(state[18, j] ^ d3, 21)
        b4 = _rotate(state[24, j] ^ d4, 14)
        b5 = _rotate(state[3, j] ^ d3, 28)
        b6 = _rotate(state[9, j] ^ d4, 20)
        b7 = _rotate(state[10, j] ^ d0, 3)
        b8 = _rotate(state[16, j] ^ d1, 45)
        b9 = _rotate(state[22, j] ^ d2, 61)
        b10 = _rotate(state[1, j] ^ d1, 1)
        b11 = _rotate(state[7, j] ^ d2, 6)
        b12 = _rotate(state[13, j] ^ d3, 25)
        b13 = _rotate(state[19, j] ^ d4, 8)
        b14 = _rotate(state[20, j] ^ d0, 18)
        b15 = _rotate(state[4, j] ^ d4, 27)
        b16 = _rotate(state[5, j] ^ d0, 36)
        b17 = _rotate(state[11, j] ^ d1, 10)
        b18 = _rotate(state[17, j] ^ d2, 15)
        b19 = _rotate(state[23, j] ^ d3, 56)
        b20 = _rotate(state[2, j] ^ d2, 62)
        b21 = _rotate(state[8, j] ^ d3, 55)
        b22 = _rotate(state[14, j] ^ d4, 39)
        b23 = _rotate(state[15, j] ^ d0, 41)
        b24 = _rotate(state[21, j] ^ d1, 2)
        # Chi along the rows, and iota.
        state[0, j] = b0 ^ (~b1 & b2) ^ constant
        state[1, j] = b1 ^ (~b2 & b3)
        state[2, j] = b2 ^ (~b3 & b4)
        state[3, j] = b3 ^ (~b4 & b0)
        state[4, j] = b4 ^ (~b0 & b1)
        state[5, j] = b5 ^ (~b6 & b7)
        state[6, j] = b6 ^ (~b7 & b8)
        state[7, j] = b7 ^ (~b8 & b9)
        state[8, j] = b8 ^ (~b9 & b5)
        state[9, j] = b9 ^ (~b5 & b6)
        state[10, j] = b10 ^ (~b11 & b12)
        state[11, j] = b11 ^ (~b12 & b13)
        state[12, j] = b12 ^ (~b13 & b14)
        state[13, j] = b13 ^ (~b14 & b10)
        state[14, j] = b14 ^ (~b10 & b11)
        state[15, j] = b15 ^ (~b16 & b17)
        state[16, j] = b16 ^ (~b17 & b18)
        state[17, j] = b17 ^ (~b18 & b19)
        state[18, j] = b18 ^ (~b19 & b15)
        state[19, j] = b19 ^ (~b15 & b16)
        state[20, j] = b20 ^ (~b21 & b22)
        state[21, j] = b21 ^ (~b22 & b23)
        state[22, j] = b22 ^ (~b23 & b24)
        state[23, j] = b23 ^ (~b24 & b20)
        state[24, j] = b24 ^ (~b20 & b21)
