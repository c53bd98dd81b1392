"""The root of every error this package raises.

SmppgwError
├── ConfigError             a configuration that cannot be used     (smppgw.config)
├── EncodeError             a PDU of ours that cannot be encoded    (smppgw.pdu.errors)
├── OperatorsError          a look-up table that cannot be read     (smppgw.operators)
├── PduError                octets of a peer that cannot be accepted(smppgw.pdu.errors)
├── SessionError            an operation the session does not allow (smppgw.session.errors)
└── StoreError              the message store failed                (smppgw.store.errors)
"""

from __future__ import annotations


class SmppgwError(Exception):
    """Root of the hierarchy; `str()` of any of them is one line for a person."""
