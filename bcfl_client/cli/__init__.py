"""The command `bcfl`. Commands are thin: parse, call the library, print.

Nothing heavy is imported before a command needs it, so that help and status answer at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from types import FrameType

from bcfl_client.cli.parser import build_parser
from bcfl_client.errors import BcflError

__all__ = ["main"]

_INTERRUPTED, _TERMINATED = 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0 done, 1 failed, 2 bad input (nothing was sent), 130 Ctrl-C."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    debug = os.environ.get("BCFL_DEBUG") == "1"
    try:
        args = build_parser().parse_args(argv)
        logging.basicConfig(
            level=logging.INFO if args.verbose else logging.WARNING, format="%(asctime)s %(name)s: %(message)s"
        )
        with ExitStack() as args.cleanup:
            code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        if debug:
            raise
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except BcflError as error:
        if debug:
            raise
        print(f"bcfl: {_one_line(error)}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if debug:
            raise
        name = type(error).__name__
        print(f"bcfl: unexpected {name}: {_one_line(error)} (BCFL_DEBUG=1 shows where)", file=sys.stderr)
        return 1


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    # As with Ctrl-C, everything on the way out ends its children and closes its files.
    raise SystemExit(_TERMINATED)


def _one_line(error: BaseException) -> str:
    # Parts of it may be a stranger's words, and control codes could rewrite the reader's terminal.
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(error).split()))
