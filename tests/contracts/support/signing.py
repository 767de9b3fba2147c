"""What trainers sign for others to relay: EIP-712 with the compact signature of EIP-2098."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from . import chain

MNEMONIC = "test test test test test test test test test test test junk"  # of the dev chain's accounts
COMMIT = {"Commit": [{"name": "round", "type": "uint16"}, {"name": "digest", "type": "bytes32"}]}


def message(task: Any, round_id: int, digest: bytes, **domain: Any) -> SignableMessage:
    """The message of a commitment; `domain` changes parts of its domain."""
    told = {"name": "BC-FL", "version": "1", "chainId": chain.chain_id(), "verifyingContract": str(task)} | domain
    return encode_typed_data(told, COMMIT, {"round": round_id, "digest": digest})


def signed(index: int, said: SignableMessage) -> tuple[bytes, bytes]:
    """r and vs of the dev chain's account `index`."""
    signature = Account.sign_message(said, _key(index))
    return word(signature.r), word((signature.v - 27) << 255 | signature.s)


def recovered(said: SignableMessage, r: bytes, vs: bytes) -> str:
    """Whom a compact signature under this message names."""
    both = int.from_bytes(vs, "big")
    rsv = r + word(both % 2**255) + bytes([27 + (both >> 255)])
    return Account.recover_message(said, signature=rsv)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


@cache
def _key(index: int) -> bytes:
    Account.enable_unaudited_hdwallet_features()
    return bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key)
