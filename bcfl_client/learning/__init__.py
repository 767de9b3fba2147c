"""Everything about the model itself: data, partitions, models, local training, encoding, the parameter tree.

Nothing is imported here: the parts differ in what they cost to import (torch, numba), and callers choose.
"""
