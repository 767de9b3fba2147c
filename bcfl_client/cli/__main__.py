"""`python -m bcfl_client.cli`, the same as `bcfl`."""

import sys

from bcfl_client.cli import main

sys.exit(main())
