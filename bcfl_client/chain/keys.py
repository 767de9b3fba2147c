"""Private keys: an encrypted keystore file, or an environment variable. Never an argument, never in a log."""

from __future__ import annotations

import getpass
import json
import os
import stat
import sys
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak

from bcfl_client.errors import ConfigError

__all__ = [
    "KEY_VARIABLE",
    "PASSWORD_VARIABLE",
    "LocalAccount",
    "account_of",
    "create_keystore",
    "dev_account",
    "load_account",
]

KEY_VARIABLE = "BCFL_PRIVATE_KEY"
PASSWORD_VARIABLE = "BCFL_PASSWORD"


def load_account(keystore: Path | None) -> LocalAccount:
    """The account of `keystore`, or of BCFL_PRIVATE_KEY when there is none. Raises ConfigError."""
    if keystore is None:
        return _from_environment()
    try:
        if os.name == "posix" and stat.S_IMODE(keystore.stat().st_mode) & 0o077:
            raise ConfigError(f"others can read the key file {keystore}; run `chmod 600 {keystore}`")
        document = json.loads(keystore.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the key file {keystore}: {error}") from error
    try:
        return Account.from_key(Account.decrypt(document, _password(f"Password of {keystore}: ")))  # type: ignore[no-any-return]
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"cannot open the key file {keystore}: wrong password or damaged file") from error


def create_keystore(path: Path, key: str | None = None) -> str:
    """Writes `key` or a new one, encrypted, readable by its owner only; returns its address. Never overwrites."""
    account = Account.create() if key is None else Account.from_key(key)
    password = _password("New password: ")
    if not password:
        raise ConfigError(f"a key needs a password: type one, or set {PASSWORD_VARIABLE}")
    if _password("The same again: ") != password:  # mistyped, it would lock the key up for good
        raise ConfigError("the passwords differ; nothing was written")
    document = json.dumps(account.encrypt(password))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already; a key is never overwritten") from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    return str(account.address)


def account_of(key: str) -> LocalAccount:
    """The account of a private key, 64 hex digits."""
    return Account.from_key(key)  # type: ignore[no-any-return]


def dev_account(text: str) -> LocalAccount:
    """An account that follows from `text`: for development chains only, since whoever knows the text owns it."""
    return account_of(keccak(text=text).hex())


def _from_environment() -> LocalAccount:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise ConfigError(f"no key: name a keystore file with --key, or set {KEY_VARIABLE}; `bcfl key FILE` makes one")
    try:
        return Account.from_key(key)  # type: ignore[no-any-return]
    except Exception:
        # The cause may quote the key.
        raise ConfigError(f"{KEY_VARIABLE} is not a private key: 64 hex digits are needed") from None


def _password(prompt: str) -> str:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ConfigError(f"no terminal to ask for the password; set {PASSWORD_VARIABLE}")
    return getpass.getpass(prompt)
