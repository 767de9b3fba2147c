"""What the tests of the contracts share. Nothing here uses `bcfl_client` but its
parameter tree: a second opinion on every digest."""
