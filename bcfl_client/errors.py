"""Every error that this package raises on purpose, by what the caller can do about it.

BcflError                      exit code 1
|- InputError                  exit code 2: the user can mend it; nothing was sent, nothing was lost
|  |- ConfigError              a file, option or key is wrong
|  |- DataError                a data set is unknown, missing or damaged
|  |- ConnectionFailed         nothing answers at the chain's or the store's address
|  `- ChainMismatch            the wrong chain, no contract there, a finished task, no funds
|- ChainError                  a transaction or a call went wrong
|  |- ContractReverted         the contract said no, and why
|  `- TransactionLost          sent, and not in a block by the deadline
`- ContentError                bytes from a content store
   |- ContentMissing           nobody serves them
   |- ContentMismatch          they are not what the chain promised
   `- ContentTooLarge          there are more of them than the chain promised
"""

from __future__ import annotations

__all__ = [
    "BcflError",
    "ChainError",
    "ChainMismatch",
    "ConfigError",
    "ConnectionFailed",
    "ContentError",
    "ContentMismatch",
    "ContentMissing",
    "ContentTooLarge",
    "ContractReverted",
    "DataError",
    "InputError",
    "TransactionLost",
]


class BcflError(Exception):
    """Base of all errors here. The message is one line that names the cause and, where there is one, the fix."""

    exit_code = 1


class InputError(BcflError):
    """Something the user gave is wrong; nothing was sent and nothing was lost."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration file, an option or a key is wrong."""


class DataError(InputError):
    """A data set is unknown, missing or damaged."""


class ConnectionFailed(InputError):
    """Nothing answers at the address of the chain or of the content store."""


class ChainMismatch(InputError):
    """The chain answers, but is not what was asked for: wrong id, no contract, a finished task, no funds."""


class ChainError(BcflError):
    """A transaction or a call on the chain went wrong."""


class ContractReverted(ChainError):
    """The contract refused.

    `name` is the custom error (for example `LearningTask_WrongPhase`), `arguments` its decoded values.
    """

    def __init__(self, name: str, arguments: tuple[object, ...] = (), context: str = "") -> None:
        self.name = name
        self.arguments = arguments
        values = ", ".join(str(value) for value in arguments)
        super().__init__(f"{context + ': ' if context else ''}the contract refused: {name}({values})")


class TransactionLost(ChainError):
    """A transaction was sent and is in no block at its deadline. `transaction_hash` is 0x-prefixed hex."""

    def __init__(self, transaction_hash: str, waited_seconds: float) -> None:
        self.transaction_hash = transaction_hash
        super().__init__(f"transaction {transaction_hash} is in no block after {waited_seconds:.0f} s")


class ContentError(BcflError):
    """Bytes named by a content id could not be had as promised. `content_id` is the CIDv1 text."""

    exit_code = 2

    def __init__(self, content_id: str, reason: str) -> None:
        self.content_id = content_id
        super().__init__(f"content {content_id}: {reason}")


class ContentMissing(ContentError):
    """Nobody served the bytes within the time limit."""


class ContentMismatch(ContentError):
    """The bytes are not those that the content id, the length or the root promise."""


class ContentTooLarge(ContentError):
    """More bytes arrive than were promised; reading stopped at the limit."""
