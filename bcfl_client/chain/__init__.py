"""The chain: connection, contracts, keys, transactions, events. The only package that knows web3 and eth_*."""

import os

# The C backend makes keccak five times faster than the default one; eth_hash reads this when it is first used.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
