"""Deploys the contracts and prints their addresses: `brownie run scripts/deploy.py [--network NAME]`.

On a development network the first of its accounts pays. Elsewhere BCFL_ACCOUNT names one of Brownie's keystore
accounts (made by `brownie accounts new NAME`), whose password is asked for.
"""

from __future__ import annotations

import os
from typing import Any

from brownie import LearningTask, TaskFactory, TaskTransitions, accounts, chain, network, rpc

TASK_FEE = 0  # wei burnt per task; it makes farming of reputation cost money where ether does


def main() -> Any:
    """Deploys from the network's account; returns the factory."""
    sender = {"from": _deployer()}
    transitions = TaskTransitions.deploy(sender)
    implementation = LearningTask.deploy(transitions, sender)
    factory = TaskFactory.deploy(TASK_FEE, implementation, sender)

    print(f"Deployed by {sender['from']} on chain {chain.id}:")
    print(f"  TaskFactory      {factory.address}  <- all that clients need to know")
    print(f"  Reputation       {factory.reputation()}")
    print(f"  LearningTask     {implementation.address}  (code of all tasks)")
    print(f"  TaskTransitions  {transitions.address}  (code of select, cancel, finalise)")
    return factory


def _deployer() -> Any:
    if rpc.is_active():  # a chain that Brownie has started, or found on this machine
        return accounts[0]
    if name := os.environ.get("BCFL_ACCOUNT"):
        return accounts.load(name)
    raise SystemExit(f"network {network.show_active()} needs an account: set BCFL_ACCOUNT to the name of a keystore")
