"""`bcfl chain`, `bcfl key`, `bcfl deploy`: a chain, an account, the contracts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bcfl_client.cli.options import Commands, add_chain, add_command, add_key, connect_to, sender_of, wei, whole
from bcfl_client.files import write_whole

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Adds this group's commands."""
    parser = add_command(
        commands,
        "chain",
        _chain,
        "run a development chain (Anvil) in this terminal",
        "Starts a local Ethereum chain with funded accounts and runs it until Ctrl-C. It makes a block for every\n"
        "transaction and one every second, so that its clock goes on. Its keys are public: for development only.",
        "bcfl chain --port 8545 --state .bcfl/chain.json",
    )
    parser.add_argument("--port", metavar="N", type=whole, default=8545, help="port to listen on (%(default)s)")
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 lets other machines in (%(default)s)",
    )
    parser.add_argument(
        "--state", metavar="FILE", type=Path, help="load the chain from FILE if it exists, and save it there at the end"
    )

    parser = add_command(
        commands,
        "key",
        _key,
        "make an encrypted key file",
        "Makes a new account and writes its key to FILE, encrypted with a password that is asked for (or taken from\n"
        "BCFL_PASSWORD) and readable by its owner only. An existing file is never overwritten.",
        "bcfl key trainer.json",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="file to write")
    parser.add_argument(
        "--dev",
        metavar="N",
        type=whole,
        help="not a new key, but the public one of account N of `bcfl chain`",
    )

    parser = add_command(
        commands,
        "deploy",
        _deploy,
        "put the contracts on a chain",
        "Deploys the task factory with its registry of reputation and prints the factory's address, which\n"
        "`bcfl publish` needs. Done once per chain. The account of --key pays the gas and gets no rights.",
        "bcfl deploy --rpc http://127.0.0.1:8545 --key publisher.json",
    )
    add_chain(parser)
    add_key(parser)
    parser.add_argument(
        "--task-fee", metavar="AMOUNT", type=wei, default=0,
        help='burnt for every task published, against farming of reputation: wei, "20 gwei", "0.1 ether" (0)',
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", type=Path, help="also write the addresses to FILE, as JSON")


def _chain(args: argparse.Namespace) -> int:
    from bcfl_client.chain.devchain import DEV_MNEMONIC, DevChain
    from bcfl_client.errors import ConfigError

    if not 1 <= args.port <= 65_535:
        raise ConfigError(f"--port must be from 1 to 65535, not {args.port}")
    extra = ["--state", str(args.state)] if args.state is not None else []
    with DevChain(port=args.port, host=args.host, extra=extra) as chain:
        print(f"chain id {chain.chain_id} at {chain.url}; Ctrl-C ends it")
        print("accounts with 10,000 ether each:")
        for index, account in enumerate(chain.addresses()):
            print(f"  {index:2}  {account}")
        print(f'Everybody knows their keys: they come from the words "{DEV_MNEMONIC}"')
        print("(path m/44'/60'/0'/0/N). Never send real money there. `bcfl key FILE --dev N` writes one into a file.")
        sys.stdout.flush()
        chain.wait()
    return 0


def _key(args: argparse.Namespace) -> int:
    from bcfl_client.chain.devchain import dev_key
    from bcfl_client.chain.keys import create_keystore

    account = create_keystore(args.file, None if args.dev is None else dev_key(args.dev))
    print(f"{account}  key in {args.file}")
    return 0


def _deploy(args: argparse.Namespace) -> int:
    from bcfl_client.chain.contracts import deploy

    connection = connect_to(args)
    deployment = deploy(sender_of(args, connection), args.task_fee)
    if args.out is not None:
        addresses = {"chain_id": connection.chain_id, **vars(deployment)}
        write_whole(args.out, lambda file: file.write((json.dumps(addresses, indent=1) + "\n").encode()))
    print(f"factory     {deployment.factory}")
    print(f"reputation  {deployment.reputation}")
    print(f"next: bcfl publish TASK.toml --factory {deployment.factory} --rpc {args.rpc} --key FILE")
    return 0
