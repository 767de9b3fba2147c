"""Splits of a training set over clients: the same seed gives the same split in every process.

`iid`           equal random parts
`shards:K`      sorted by label, cut into K shards per client (McMahan et al. 2017, section 3, with K = 2)
`dirichlet:A`   per class, shares over the clients drawn from Dirichlet(A) (Hsu et al. 2019; small A = unlike clients)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bcfl_client.errors import ConfigError

__all__ = ["partition"]

_FORMS = "iid, shards:K (for example shards:2) or dirichlet:A (for example dirichlet:0.5)"
_ATTEMPTS = 1000


def partition(
    labels: NDArray[np.uint8], clients: int, spec: str, seed: int, minimum: int = 10
) -> list[NDArray[np.int64]]:
    """Returns the sorted indices of each client's samples: disjoint, together all of them, at least `minimum` each.

    Raises ConfigError for an unknown `spec` and for a split that cannot give every client its minimum.
    """
    if clients < 1:
        raise ConfigError(f"cannot split data over {clients} clients: at least 1 is needed")
    if len(labels) < clients * minimum:
        raise ConfigError(f"{len(labels)} samples are too few for {clients} clients with at least {minimum} each")
    name, _, argument = spec.partition(":")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0x53504C4954])))
    if name == "iid" and not argument:
        parts = np.array_split(rng.permutation(len(labels)), clients)
    elif name == "shards":
        parts = _shards(labels, clients, _parse_shards(argument, spec), rng)
    elif name == "dirichlet":
        parts = _dirichlet(labels, clients, _parse_alpha(argument, spec), rng, minimum)
    else:
        raise ConfigError(f"unknown partition {spec!r}: use {_FORMS}")
    smallest = min(len(part) for part in parts)
    if smallest < minimum:
        raise ConfigError(f"partition {spec} leaves a client with {smallest} samples, at least {minimum} are needed")
    return [np.sort(part) for part in parts]


def _shards(
    labels: NDArray[np.uint8], clients: int, per_client: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    shards = np.array_split(np.argsort(labels, kind="stable"), clients * per_client)
    order = rng.permutation(len(shards)).reshape(clients, per_client)
    return [np.concatenate([shards[shard] for shard in row]) for row in order]


def _dirichlet(
    labels: NDArray[np.uint8], clients: int, alpha: float, rng: np.random.Generator, minimum: int
) -> list[NDArray[np.int64]]:
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    # A draw may leave a client (nearly) empty, so it is repeated; usually the first one holds.
    for _ in range(_ATTEMPTS):
        shares = rng.dirichlet(np.full(clients, alpha), size=len(members))  # [classes, clients]
        counts = np.array([len(indices) for indices in members])
        cuts = np.rint(np.cumsum(shares, axis=1) * counts[:, None]).astype(np.int64)[:, :-1]
        sizes = np.diff(cuts, axis=1, prepend=0, append=counts[:, None]).sum(axis=0)
        if sizes.min() >= minimum:
            pieces = [np.split(indices, cut) for indices, cut in zip(members, cuts)]
            return [np.concatenate([piece[client] for piece in pieces]) for client in range(clients)]
    raise ConfigError(
        f"dirichlet:{alpha:g} leaves some of the {clients} clients with fewer than {minimum} samples in "
        f"{_ATTEMPTS} draws: use a larger value or fewer clients"
    )


def _parse_shards(argument: str, spec: str) -> int:
    if argument.isascii() and argument.isdigit() and 1 <= int(argument[:6]) <= 1000:
        return int(argument)
    raise ConfigError(f"partition {spec!r}: the number of shards per client is a whole number from 1 to 1000")


def _parse_alpha(argument: str, spec: str) -> float:
    try:
        alpha = float(argument)
    except ValueError:
        alpha = math.nan
    if 0.001 <= alpha <= 1_000_000:
        return alpha
    raise ConfigError(f"partition {spec!r}: Dirichlet's parameter is a number from 0.001 to 1000000")
