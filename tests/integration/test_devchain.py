"""The development chain as a process: it starts, answers, and leaves nothing behind."""

from __future__ import annotations

import os
import socket

import pytest
from eth_account import Account

from bcfl_client.chain.connection import connect
from bcfl_client.chain.devchain import DevChain
from bcfl_client.errors import ChainError, ConfigError, ConnectionFailed


def test_answers_with_funded_accounts_whose_keys_are_known() -> None:
    """The chain is up on entry, and the keys given are those of accounts with money."""
    with DevChain(accounts=3) as chain:
        connection = connect(chain.url, chain.chain_id)
        addresses = [Account.from_key(key).address for key in chain.accounts]
        assert [a.lower() for a in addresses] == chain.addresses()
        assert connection.balance(addresses[2]) == 10_000 * 10**18
        connection.close()


def test_two_chains_choose_different_ports_and_both_end() -> None:
    """Free ports are free, and afterwards nothing answers there."""
    with DevChain() as one, DevChain() as other:
        assert one.port != other.port
    for chain in (one, other):
        with pytest.raises(ConnectionFailed):
            connect(chain.url)


def test_a_port_in_use_is_refused_before_anything_starts() -> None:
    """The port's user is not disturbed, and the message names the port."""
    with socket.create_server(("127.0.0.1", 0)) as user:
        port = user.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"), DevChain(port=port):
            pass


def test_the_process_group_ends_when_the_body_fails() -> None:
    """An exception inside leaves no process."""
    groups = []

    def fail() -> None:
        with DevChain() as chain:
            assert chain._process is not None
            groups.append(chain._process.pid)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(ProcessLookupError):
        os.killpg(groups[0], 0)


def test_a_program_that_will_not_start_is_quoted() -> None:
    """What Anvil says about a wrong option reaches the user."""
    with pytest.raises(ChainError, match="no-such-option"), DevChain(extra=["--no-such-option"]):
        pass


def test_a_missing_program_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Without Anvil the message names the command that installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bcfl_client.chain.devchain._PACKAGES", tmp_path)
    with pytest.raises(ConfigError, match="make setup"):
        DevChain()
