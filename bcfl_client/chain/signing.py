"""Commitments that their trainers sign and anybody relays (EIP-712): the trainer pays no gas."""

from __future__ import annotations

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_account.signers.local import LocalAccount

from bcfl_client.chain.digests import Place
from bcfl_client.types import SignedCommit

__all__ = ["commit_signer", "sign_commit"]

_TYPES = {"Commit": [{"name": "round", "type": "uint16"}, {"name": "digest", "type": "bytes32"}]}
_HIGH_BIT = 1 << 255


def sign_commit(account: LocalAccount, place: Place, digest: bytes) -> SignedCommit:
    """The commitment to `digest` in the task and round of `place`, signed by `account`."""
    signed = account.sign_message(_message(place, digest))
    # EIP-2098: the parity of v stands in the highest bit of s, which is free because s is in the lower half.
    vs = signed.s | (signed.v - 27) << 255
    return SignedCommit(digest, signed.r.to_bytes(32, "big"), vs.to_bytes(32, "big"))


def commit_signer(commit: SignedCommit, place: Place) -> str:
    """The account that signed `commit` for the task and round of `place`. Raises ValueError when nobody can have."""
    vs = int.from_bytes(commit.vs, "big")
    rsv = (27 + (vs >> 255), int.from_bytes(commit.r, "big"), vs & ~_HIGH_BIT)
    try:
        return str(Account.recover_message(_message(place, commit.digest), vrs=rsv))
    except Exception as error:  # the libraries below raise what they like
        raise ValueError(f"not a signature: {error}") from error


def _message(place: Place, digest: bytes) -> SignableMessage:
    domain = {"name": "BC-FL", "version": "1", "chainId": place.chain_id, "verifyingContract": place.task}
    return encode_typed_data(domain, _TYPES, {"round": place.round_id, "digest": digest})
