"""`python -m smppgw`."""

from __future__ import annotations

import sys

from smppgw.cli import main

if __name__ == "__main__":
    sys.exit(main())
