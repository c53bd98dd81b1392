"""What can go wrong with the store.

SmppgwError
└── StoreError
"""

from __future__ import annotations

from smppgw.errors import SmppgwError


class StoreError(SmppgwError):
    """The store cannot promise what it is asked to."""
