"""The command line: one parser, a file of commands per group."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from bcfl_client import __version__

__all__ = ["build_parser"]

_EPILOG = """\
A first look:         bcfl demo
By hand:              bcfl chain, then bcfl deploy, bcfl publish, bcfl train and bcfl mine, each in its own terminal
Keys:                 bcfl key FILE makes an encrypted one; --key FILE uses it. The password is asked for, or comes
                      from BCFL_PASSWORD. Without --key the environment's BCFL_PRIVATE_KEY is used.
Environment:          BCFL_DATA (folder of data sets), BCFL_PASSWORD, BCFL_PRIVATE_KEY, BCFL_DEBUG=1 (show tracebacks)
Exit codes:           0 done, 1 failed, 2 bad input (nothing was sent), 130 Ctrl-C; audit: 3 bytes no longer available
Help on one command:  bcfl COMMAND --help
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # One line, where argparse would print the whole usage.
        print(f"{self.prog}: {' '.join(message.split())}; see `{self.prog} --help`", file=sys.stderr)
        raise SystemExit(2)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands. Parsed arguments carry the command's function as `run`."""
    from bcfl_client.cli import chain, demo, doctor, experiment, inspect_task, money, publish, relay, roles

    parser = _Parser(
        prog="bcfl",
        description="BC-FL: federated learning that a blockchain pays, checks and remembers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bcfl {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more about what happens, on stderr")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (demo, chain, publish, roles, relay, inspect_task, money, experiment, doctor):
        group.add_commands(commands)
    return parser
