"""What the tests of the contracts share. Nothing here uses `bcfl_client`: a second opinion on every digest."""
