"""Deploys the contracts and prints their addresses: `brownie run scripts/deploy.py [--network NAME]`.

On a development network the first of its accounts pays. Elsewhere BCFL_ACCOUNT names a keystore file; its password is
that in BCFL_PASSWORD, or asked for.
"""

from __future__ import annotations

import os
from typing import Any

from brownie import (
    Contract,
    LearningTask,
    TaskBidding,
    TaskBlocks,
    TaskFactory,
    TaskSettlement,
    accounts,
    chain,
    network,
    rpc,
)

TASK_FEE = 0  # wei burnt per task; it makes farming of reputation cost money where ether does


def main() -> Any:
    """Deploys from the network's account; returns the factory."""
    deployer = _deployer()
    pieces = [_deploy(deployer, piece) for piece in (TaskBidding, TaskBlocks, TaskSettlement)]
    implementation = _deploy(deployer, LearningTask, *pieces)
    factory = _deploy(deployer, TaskFactory, TASK_FEE, implementation)

    print(f"Deployed by {deployer} on chain {chain.id}:")
    print(f"  TaskFactory     {factory.address}  <- all that clients need to know")
    print(f"  Reputation      {factory.reputation()}")
    print(f"  LearningTask    {implementation.address}  (code of all tasks, with the three pieces below)")
    for piece in pieces:
        print(f"  {piece._name:14}  {piece.address}")
    return factory


def _deploy(deployer: Any, contract: Any, *args: Any) -> Any:
    # Brownie's own `deploy` writes down what stands on a live network, and from then on refuses a fresh chain there.
    tx = deployer.transfer(data=contract.deploy.encode_input(*args), silent=True)
    return Contract.from_abi(contract._name, tx.contract_address, contract.abi, persist=False)


def _deployer() -> Any:
    if rpc.is_active():  # a chain that Brownie has started
        return accounts[0]
    keystore = os.environ.get("BCFL_ACCOUNT")
    if not keystore:
        raise SystemExit(f"error: network {network.show_active()} needs an account: name a keystore in BCFL_ACCOUNT")
    try:
        return accounts.load(keystore, os.environ.get("BCFL_PASSWORD"))
    except (FileNotFoundError, ValueError) as reason:
        raise SystemExit(f"error: {keystore} cannot be used: {reason}") from None
