"""A development chain as a child process: Anvil, or Ganache where asked for.

Knows nothing of web3, so that `bcfl chain` starts at once.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from bcfl_client.errors import ChainError, ConfigError

__all__ = ["DEV_MNEMONIC", "DevChain", "dev_key", "find_anvil"]

# Published with every Anvil, Ganache and Hardhat: whoever has it owns these accounts, on every chain.
DEV_MNEMONIC = "test test test test test test test test test test test junk"
_BALANCE_ETHER = 10_000
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = _ROOT / "node_modules"
_SCRATCH = _ROOT / "build"
_POLL_SECONDS = 0.02
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_FREE_PORT_TRIES = 5


class DevChain:
    """Starts the chain on entry, when `.url` answers; ends its whole process group on exit.

    `port` None takes a free one. `block_time` in seconds makes a block every so often, and Anvil one per transaction
    as well; 0 makes blocks for transactions only. `accounts` are funded with 10,000 ether each. `kind` is anvil or
    ganache; `extra` goes to its command line. Raises ConfigError when the port is taken or the program is missing,
    before anything starts; ChainError when it ends by itself or does not answer.
    """

    def __init__(
        self,
        port: int | None = None,
        host: str = "127.0.0.1",
        block_time: int = 1,
        accounts: int = 20,
        kind: str = "anvil",
        extra: Sequence[str] = (),
    ) -> None:
        self.host = host
        self.port = port or 0
        self.chain_id = 0
        self._any_port = port is None
        self._count = accounts
        self._kind = kind
        arguments = {"anvil": _anvil_arguments, "ganache": _ganache_arguments}[kind]
        self._command = [*arguments(host, block_time, accounts), *extra]
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._cache: tempfile.TemporaryDirectory[str] | None = None

    @property
    def url(self) -> str:
        """Where the chain answers JSON-RPC."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def accounts(self) -> list[str]:
        """Private keys of the funded accounts, 0x-prefixed. Everybody knows them: for development only."""
        return [dev_key(index) for index in range(self._count)]

    def addresses(self) -> list[str]:
        """Addresses of the funded accounts, as the node gives them."""
        return [str(address) for address in self._ask("eth_accounts")]

    def __enter__(self) -> DevChain:
        # Between choosing a free port and using it another process may take it: then another one is chosen.
        for attempt in range(_FREE_PORT_TRIES):
            if self._any_port:
                self.port = _free_port(self.host)
            else:
                _require_free(self.host, self.port)
            try:
                self._start()
                return self
            except ChainError as error:
                if "in use" not in str(error) or not self._any_port or attempt == _FREE_PORT_TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Returns when the chain ends. Raises ChainError: nobody asked it to."""
        assert self._process is not None
        status = self._process.wait()
        raise ChainError(f"{self._kind} ended by itself (status {status}){self._last_words()}")

    def _start(self) -> None:
        option = "--port" if self._kind == "anvil" else "--server.port"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        # Anvil puts old states there and leaves them; its own choice is the user's home.
        _SCRATCH.mkdir(parents=True, exist_ok=True)
        self._cache = tempfile.TemporaryDirectory(prefix="chain-", dir=_SCRATCH)
        cache = ["--cache-path", self._cache.name] if self._kind == "anvil" else []
        try:
            # A session of its own: a terminal's Ctrl-C reaches us alone, and we end it in order.
            self._process = subprocess.Popen(
                [*self._command, *cache, option, str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._await_answer()
        except BaseException:
            self._stop()
            raise

    def _await_answer(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                status = self._process.returncode
                raise ChainError(f"{self._kind} did not start (status {status}){self._last_words()}")
            try:
                self.chain_id = int(self._ask("eth_chainId"), 16)
                return
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(_POLL_SECONDS)
        raise ChainError(f"{self._kind} does not answer at {self.url} after {_START_SECONDS:.0f} s{self._last_words()}")

    def _ask(self, method: str) -> Any:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=2.0)
        try:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []})
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())["result"]
        finally:
            connection.close()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # The group, even if its leader is gone: a launcher may leave the real process behind.
            _signal_group(process.pid, signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:  # also when a second Ctrl-C cuts the waiting short
                _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None
        if self._cache is not None:
            self._cache.cleanup()
            self._cache = None

    def _last_words(self) -> str:
        assert self._output is not None
        self._output.seek(0)
        lines = self._output.read()[-4096:].decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if line.lower().startswith("error")]
        return f": {(errors or lines[-1:])[0].strip()}" if lines else ""


def dev_key(index: int) -> str:
    """Private key of the funded account `index`, 0x-prefixed."""
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

    return "0x" + key_from_seed(seed_from_mnemonic(DEV_MNEMONIC, ""), f"m/44'/60'/0'/0/{index}").hex()


def find_anvil() -> str:
    """Path of Anvil: the one on PATH, else the one that npm installed here. Raises ConfigError."""
    if native := shutil.which("anvil"):
        return native
    # Not the launcher in node_modules/.bin: killed, it leaves the real process alive on its port.
    found = sorted(_PACKAGES.glob("@foundry-rs/anvil-*/bin/anvil"))
    if not found:
        raise ConfigError("Anvil is not installed; run `make setup`, or put `anvil` of Foundry on PATH")
    return str(found[0])


def _anvil_arguments(host: str, block_time: int, accounts: int) -> list[str]:
    mining = ["--block-time", str(block_time), "--mixed-mining"] if block_time else []
    funded = ["--accounts", str(accounts), "--balance", str(_BALANCE_ETHER)]
    return [find_anvil(), "--quiet", "--host", host, *mining, *funded]


def _ganache_arguments(host: str, block_time: int, accounts: int) -> list[str]:
    program = _PACKAGES / "ganache" / "dist" / "node" / "cli.js"
    node = shutil.which("node")
    if node is None or not program.exists():
        raise ConfigError("Ganache is not installed; run `make setup`")
    options = {
        "--server.host": host,
        "--wallet.mnemonic": DEV_MNEMONIC,
        "--wallet.totalAccounts": accounts,
        "--wallet.defaultBalance": _BALANCE_ETHER,
        "--miner.blockTime": block_time,
        "--logging.quiet": "true",
    }
    return [node, str(program), *(f"{name}={value}" for name, value in options.items())]


def _require_free(host: str, port: int) -> None:
    try:
        _bind(host, port)
    except OSError as error:
        raise ConfigError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop what uses it, or choose another with --port"
        ) from error


def _free_port(host: str) -> int:
    try:
        return _bind(host, 0)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host} ({error.strerror}); choose another with --host") from error


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that still linger from an earlier one do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies only
        os.killpg(group, number)
