"""BC-FL: blockchain-aided federated learning, the off-chain half.

Imports point one way: roles -> learning, aggregation, scoring, chain, storage -> types, errors, config.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
