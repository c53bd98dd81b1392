"""What tests of the ledger agree on."""

from __future__ import annotations

LOG: bytes = bytes(range(16))
"""The id of the log that their ledgers belong to."""
