"""Verdicts of the Check phase: is this update the result of training in this round, or a copy of something older?

An update that could not be had, or that is farther from the global model than the task's `clipping_norm`, is invalid.

What is found (thresholds against honest training measured on MNIST and digits: iid, two shards, Dirichlet 0.1 and 0.5,
batches from 32 to all of the data, 10 to 15,000 samples, up to 30 rounds):

- an update whose distance from the global model is below `ZERO_SHARE` of that model's norm (honest: above 1e-3), or
  below half of a narrower `clipping_norm`;
- an earlier update or global model, exact or with noise up to a tenth of its own step (honest: above 0.18 of it);
- the global model, an earlier model or update, or another's update of this round, plus noise of any size: the sizes of
  what training changes follow the pattern of the inputs and of the active units, as those of the others do
  (correlation above 0.2), also where they are counted from the nearest of these; those of noise do not (below 0.02);
- two updates of one round that are equal, or far closer than updates are in this round, as with noise up to a tenth of
  the step on each of them (honest: above 0.4 of it): the one with the higher id. Commitments rule out copying, so the
  two shared one run.

Opinions, not proofs: a trainer that shapes its noise well enough is not found here and left to its score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bcfl_client.learning.encoding import FRACTIONAL_BITS
from bcfl_client.scoring.inner_product import inner_product
from bcfl_client.types import Verdict

__all__ = ["EarlierRound", "judge_updates", "remembered"]

MEMORY_BYTES = 2**29
_MILLION = 1_000_000  # the bound of steps has six decimals

ZERO_SHARE = 1e-5
NOISE_SHARE = 0.12  # a tenth, and room for rounding
NOT_OWN_SHARE = 0.5  # a copy is also nearer to its source than to where training started
SHARED_SHARE = 0.15  # of a step: a tenth of it as noise on each of two
_FAR_CLOSER = 0.5  # than the middle distance: large batches of like data make honest updates close, too
UNRELATED = 0.1
_LEAST_FOR_PATTERN = 4096  # with fewer parameters chance alone reaches that correlation

_BLOCK = 1024  # the pattern is compared within blocks, so that the scale of a layer does not pass for one
_CHUNK = 16 * _BLOCK  # coordinates at a time: 256 vectors of them take 32 MiB


@dataclass(frozen=True)
class EarlierRound:
    """An earlier round: the global model it started from and the updates revealed in it, all int32 [count]."""

    start: NDArray[np.int32]
    updates: Sequence[NDArray[np.int32]] = ()


def remembered(rounds: Sequence[EarlierRound], memory_bytes: int = MEMORY_BYTES) -> list[EarlierRound]:
    """The newest of `rounds` (which come first) whose models fit `memory_bytes` together, at least one: what verdicts
    on the next round compare with. A model older than these is worth little to whoever copies it."""
    kept, used = list(rounds[:1]), 0
    for one in rounds:
        used += one.start.nbytes + sum(update.nbytes for update in one.updates)
        if kept[-1] is not one and used <= memory_bytes:
            kept.append(one)
    return kept


def judge_updates(
    start: NDArray[np.int32],
    updates: Mapping[int, NDArray[np.int32] | None],
    earlier: Sequence[EarlierRound] = (),
    clipping_norm: float = 0.0,
) -> dict[int, Verdict]:
    """Returns the verdict on each trainer's update, by trainer id.

    `start` is the global model int32 [count] that this round trains from. An update is None when it could not be had.
    `earlier` should hold the round before with its updates, and as many older ones as can be afforded (`remembered`).
    `clipping_norm` is the task's, 0 = no bound.
    """
    sound = {
        trainer: update
        for trainer, update in sorted(updates.items())
        if update is not None and _within(start, update, clipping_norm)
    }
    own = list(sound.values())
    verdicts = dict.fromkeys(updates, Verdict.INVALID)
    if not own:
        return verdicts

    # More threads than one would only slow down the neighbours: waiting, they spin.
    with threadpool_limits(1, "blas"):
        copies = _find_copies(start, own, earlier, clipping_norm)
    for trainer, copy in zip(sound, copies):
        verdicts[trainer] = Verdict.COPY if copy else Verdict.OK
    return verdicts


def _within(start: NDArray[np.int32], update: NDArray[np.int32], norm: float) -> bool:
    """Whether the step is at most `norm` long, the same on every machine: clipped steps end right there."""
    most = round(norm * _MILLION) << FRACTIONAL_BITS
    return not norm or inner_product(update, update, start) * _MILLION**2 <= most**2


def _find_copies(
    start: NDArray[np.int32], own: Sequence[NDArray[np.int32]], earlier: Sequence[EarlierRound], clipping_norm: float
) -> NDArray[np.bool_]:
    sources = [vector for past in earlier for vector in (past.start, *past.updates)]
    products = _products(start, [*own, *sources])
    distances = _distances(products)
    steps = np.sqrt(np.diag(products))  # every vector's distance from `start`
    least = ZERO_SHARE * np.linalg.norm(start.astype(np.float64))
    if clipping_norm:  # under a narrow bound all steps are short
        least = min(least, clipping_norm * 2**FRACTIONAL_BITS / 2)
    copies: NDArray[np.bool_] = steps[: len(own)] <= least
    copies |= _near_copies(distances, steps, earlier, len(own))
    copies |= _noise_on_a_source(start, own, sources, distances, steps)
    copies |= _repeats(own, distances, steps)
    return copies


def _near_copies(
    distances: NDArray[np.float64], steps: NDArray[np.float64], earlier: Sequence[EarlierRound], count: int
) -> NDArray[np.bool_]:
    copies = np.zeros(count, dtype=bool)
    row = count
    for past in earlier:
        first = row
        for row in range(first, first + 1 + len(past.updates)):
            # How far the source had moved in its own round; an old global model: how far it is from today's.
            moved = distances[row, first] if row > first else steps[row]
            distance = distances[:count, row]
            copies |= (distance <= NOISE_SHARE * moved) & (distance <= NOT_OWN_SHARE * steps[:count])
        row += 1
    return copies


def _repeats(
    own: Sequence[NDArray[np.int32]], distances: NDArray[np.float64], steps: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Finds updates that repeat one before them in the list."""
    count = len(own)
    between, lengths = distances[:count, :count], steps[:count]
    middle = np.array([np.median(np.delete(between[i], i)) if count > 1 else 0 for i in range(count)])
    shared = between <= SHARED_SHARE * np.minimum.outer(lengths, lengths)
    shared &= between <= _FAR_CLOSER * middle[:, None]
    # Equal ones are repeats also where all are close; distances only narrow the search.
    near = between <= 0.01 * lengths
    return np.array(
        [any(shared[i, j] or (near[i, j] and np.array_equal(own[i], own[j])) for j in range(i)) for i in range(count)]
    )


def _noise_on_a_source(
    start: NDArray[np.int32],
    own: Sequence[NDArray[np.int32]],
    sources: Sequence[NDArray[np.int32]],
    distances: NDArray[np.float64],
    steps: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Finds updates that differ from the nearest of what they may be made of (the global model, `sources`, updates
    before them in the list) by what looks like nobody's training, provided that some two are alike."""
    if len(start) < _LEAST_FOR_PATTERN:
        return np.zeros(len(own), dtype=bool)
    count = len(own)
    nearest, compared = [], np.logical_not(np.eye(count, dtype=bool))
    for i in range(count):
        away = [*distances[i, :i], *distances[i, count:], steps[i]]
        at = int(np.argmin(away))
        nearest.append([*own[:i], *sources, start][at])
        if at < i:
            compared[i, at] = False  # noise on the one it is counted from is in the difference, too
    related = (_patterns(start, own, nearest) >= UNRELATED) & compared
    if not related.any():
        return np.zeros(count, dtype=bool)
    return np.asarray(compared.any(axis=1) & np.logical_not(related.any(axis=1)), dtype=bool)


def _patterns(
    start: NDArray[np.int32], own: Sequence[NDArray[np.int32]], nearest: Sequence[NDArray[np.int32]]
) -> NDArray[np.float64]:
    """Returns the correlations of the sizes of updates' differences from their `nearest` with those of all updates'
    changes from `start`, [own, own]."""
    patterns = np.zeros((len(own), len(own)))
    for low in range(0, len(start) // _BLOCK * _BLOCK, _CHUNK):
        piece = slice(low, min(low + _CHUNK, len(start) // _BLOCK * _BLOCK))
        updates = np.stack([vector[piece] for vector in own]).astype(np.float32)
        changes = _in_blocks(updates - start[piece].astype(np.float32))
        differences = _in_blocks(updates - np.stack([vector[piece] for vector in nearest]).astype(np.float32))
        patterns += differences @ changes.T
    return patterns / (len(start) // _BLOCK)


def _in_blocks(changes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sizes of changes [n, count], centred and of length 1 within each block."""
    sizes = np.abs(changes).reshape(len(changes), -1, _BLOCK)
    sizes -= sizes.mean(axis=2, keepdims=True)
    sizes /= np.linalg.norm(sizes, axis=2, keepdims=True).clip(min=1e-9)  # a constant block stays zero
    return sizes.reshape(len(changes), -1)


def _distances(products: NDArray[np.float64]) -> NDArray[np.float64]:
    squares = np.diag(products)
    return np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * products, 0))


def _products(start: NDArray[np.int32], vectors: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    """Returns the inner products of all changes from `start`, [n, n]. Float32 within a chunk: its rounding, a
    millionth, is far below every threshold."""
    products = np.zeros((len(vectors), len(vectors)))
    for low in range(0, len(start), _CHUNK):
        piece = slice(low, low + _CHUNK)
        changes = np.stack([vector[piece] for vector in vectors]).astype(np.float32)
        changes -= start[piece].astype(np.float32)
        products += changes @ changes.T
    return products
