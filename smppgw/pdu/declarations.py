"""Every command of SMPP 3.4 and 5.0: field kinds with their bounds, in the order of the wire.

Section numbers are those of SMPP v3.4, or v5.0 where it says so. `smppgw.pdu.codegen` writes the fast codec
from this; `tests/pdu/test_declarations.py` compares it with the specification as data.
"""

from __future__ import annotations

from typing import Final

from construct import Struct

from smppgw.pdu.constants import CommandId, DestFlag
from smppgw.pdu.constants import CommandStatus as E
from smppgw.pdu.fields import COctetString, Command, CountedItems, CountedOctets, Flagged, Int1, Integer, Time

_BIND = (
    "system_id" / COctetString(16, E.ESME_RINVSYSID),
    "password" / COctetString(9, E.ESME_RINVPASWD),
    "system_type" / COctetString(13, E.ESME_RINVSYSTYP),
    "interface_version" / Int1(),
    "addr_ton" / Int1(),
    "addr_npi" / Int1(),
    "address_range" / COctetString(41),
)
_BIND_RESP = ("system_id" / COctetString(16),)
_SERVICE_TYPE = "service_type" / COctetString(6, E.ESME_RINVSERTYP)
_SOURCE_TON_NPI = (
    "source_addr_ton" / Int1(E.ESME_RINVSRCTON),
    "source_addr_npi" / Int1(E.ESME_RINVSRCNPI),
)
_DEST_TON_NPI = (
    "dest_addr_ton" / Int1(E.ESME_RINVDSTTON),
    "dest_addr_npi" / Int1(E.ESME_RINVDSTNPI),
)
_SOURCE_ADDR = (*_SOURCE_TON_NPI, "source_addr" / COctetString(21, E.ESME_RINVSRCADR))
_LONG_SOURCE_ADDR = (*_SOURCE_TON_NPI, "source_addr" / COctetString(65, E.ESME_RINVSRCADR))
_DEST_ADDR = (*_DEST_TON_NPI, "destination_addr" / COctetString(21, E.ESME_RINVDSTADR))
_LONG_DEST_ADDR = (*_DEST_TON_NPI, "destination_addr" / COctetString(65, E.ESME_RINVDSTADR))
_MESSAGE_ID = "message_id" / COctetString(65, E.ESME_RINVMSGID)
_ESM_CLASS = "esm_class" / Int1(E.ESME_RINVESMCLASS)
_PROTOCOL_ID = "protocol_id" / Int1()
_PRIORITY_FLAG = "priority_flag" / Int1(E.ESME_RINVPRTFLG)
_SCHEDULE = "schedule_delivery_time" / Time(E.ESME_RINVSCHED)
_VALIDITY = "validity_period" / Time(E.ESME_RINVEXPIRY)
_REGISTERED_DELIVERY = "registered_delivery" / Int1(E.ESME_RINVREGDLVFLG)
_REPLACE_IF_PRESENT = "replace_if_present_flag" / Int1(E.ESME_RINVREPFLAG)
_DATA_CODING = "data_coding" / Int1(E.ESME_RINVDCS)
_DEFAULT_MSG_ID = "sm_default_msg_id" / Int1(E.ESME_RINVDFTMSGID)
_SHORT_MESSAGE = "short_message" / CountedOctets("sm_length", 254, E.ESME_RINVMSGLEN)

SME_ADDRESS: Final = "SmeAddress" / Struct(
    "dest_addr_ton" / Int1(),
    "dest_addr_npi" / Int1(),
    "destination_addr" / COctetString(21, E.ESME_RINVDSTADR),
)
DISTRIBUTION_LIST: Final = "DistributionList" / Struct("dl_name" / COctetString(21, E.ESME_RINVDLNAME))
UNSUCCESS_SME: Final = "UnsuccessSme" / Struct(
    "dest_addr_ton" / Int1(),
    "dest_addr_npi" / Int1(),
    "destination_addr" / COctetString(21, E.ESME_RINVDSTADR),
    "error_status_code" / Integer(4),
)

COMMANDS: Final = (
    # 4.1 Binds
    Command(CommandId.BIND_TRANSMITTER, *_BIND),  # 4.1.1
    Command(CommandId.BIND_TRANSMITTER_RESP, *_BIND_RESP),  # 4.1.2
    Command(CommandId.BIND_RECEIVER, *_BIND),  # 4.1.3
    Command(CommandId.BIND_RECEIVER_RESP, *_BIND_RESP),  # 4.1.4
    Command(CommandId.BIND_TRANSCEIVER, *_BIND),  # 4.1.5
    Command(CommandId.BIND_TRANSCEIVER_RESP, *_BIND_RESP),  # 4.1.6
    Command(  # 4.1.7
        CommandId.OUTBIND,
        "system_id" / COctetString(16),
        "password" / COctetString(9),
    ),
    # 4.2, 4.3 and 4.11 Header only
    Command(CommandId.UNBIND),  # 4.2.1
    Command(CommandId.UNBIND_RESP),  # 4.2.2
    Command(CommandId.GENERIC_NACK),  # 4.3.1
    Command(CommandId.ENQUIRE_LINK),  # 4.11.1
    Command(CommandId.ENQUIRE_LINK_RESP),  # 4.11.2
    # 4.4 to 4.7 Messages
    Command(  # 4.4.1
        CommandId.SUBMIT_SM,
        _SERVICE_TYPE,
        *_SOURCE_ADDR,
        *_DEST_ADDR,
        _ESM_CLASS,
        _PROTOCOL_ID,
        _PRIORITY_FLAG,
        _SCHEDULE,
        _VALIDITY,
        _REGISTERED_DELIVERY,
        _REPLACE_IF_PRESENT,
        _DATA_CODING,
        _DEFAULT_MSG_ID,
        _SHORT_MESSAGE,
    ),
    Command(CommandId.SUBMIT_SM_RESP, _MESSAGE_ID),  # 4.4.2
    Command(  # 4.5.1
        CommandId.SUBMIT_MULTI,
        _SERVICE_TYPE,
        *_SOURCE_ADDR,
        "dest_address"
        / CountedItems(
            "number_of_dests",
            1,
            254,
            E.ESME_RINVNUMDESTS,
            Flagged(
                "dest_flag",
                E.ESME_RINVDESTFLAG,
                {DestFlag.SME_ADDRESS: SME_ADDRESS, DestFlag.DISTRIBUTION_LIST: DISTRIBUTION_LIST},
            ),
        ),
        _ESM_CLASS,
        _PROTOCOL_ID,
        _PRIORITY_FLAG,
        _SCHEDULE,
        _VALIDITY,
        _REGISTERED_DELIVERY,
        _REPLACE_IF_PRESENT,
        _DATA_CODING,
        _DEFAULT_MSG_ID,
        _SHORT_MESSAGE,
    ),
    Command(  # 4.5.2
        CommandId.SUBMIT_MULTI_RESP,
        _MESSAGE_ID,
        "unsuccess_sme" / CountedItems("no_unsuccess", 0, 255, E.ESME_RINVCMDLEN, UNSUCCESS_SME),
    ),
    Command(  # 4.6.1
        CommandId.DELIVER_SM,
        _SERVICE_TYPE,
        *_SOURCE_ADDR,
        *_DEST_ADDR,
        _ESM_CLASS,
        _PROTOCOL_ID,
        _PRIORITY_FLAG,
        "schedule_delivery_time" / Time(),
        "validity_period" / Time(),
        _REGISTERED_DELIVERY,
        "replace_if_present_flag" / Int1(),
        _DATA_CODING,
        "sm_default_msg_id" / Int1(),
        _SHORT_MESSAGE,
    ),
    Command(  # 4.6.2; unused there, one NUL: v5.0 and real peers send an id, some no body at all
        CommandId.DELIVER_SM_RESP,
        "message_id" / COctetString(65),
        body_optional=True,
    ),
    Command(  # 4.7.1
        CommandId.DATA_SM,
        _SERVICE_TYPE,
        *_LONG_SOURCE_ADDR,
        *_LONG_DEST_ADDR,
        _ESM_CLASS,
        _REGISTERED_DELIVERY,
        _DATA_CODING,
    ),
    Command(CommandId.DATA_SM_RESP, _MESSAGE_ID),  # 4.7.2
    # 4.8 to 4.10 What becomes of a message
    Command(CommandId.QUERY_SM, _MESSAGE_ID, *_SOURCE_ADDR),  # 4.8.1
    Command(  # 4.8.2
        CommandId.QUERY_SM_RESP,
        _MESSAGE_ID,
        "final_date" / Time(lenient=True),
        "message_state" / Int1(),
        "error_code" / Int1(),
    ),
    Command(CommandId.CANCEL_SM, _SERVICE_TYPE, _MESSAGE_ID, *_SOURCE_ADDR, *_DEST_ADDR),  # 4.9.1
    Command(CommandId.CANCEL_SM_RESP),  # 4.9.2
    Command(  # 4.10.1
        CommandId.REPLACE_SM,
        _MESSAGE_ID,
        *_SOURCE_ADDR,
        _SCHEDULE,
        _VALIDITY,
        _REGISTERED_DELIVERY,
        _DEFAULT_MSG_ID,
        _SHORT_MESSAGE,
    ),
    Command(CommandId.REPLACE_SM_RESP),  # 4.10.2
    Command(  # 4.12.1
        CommandId.ALERT_NOTIFICATION,
        *_LONG_SOURCE_ADDR,
        "esme_addr_ton" / Int1(),
        "esme_addr_npi" / Int1(),
        "esme_addr" / COctetString(65),
    ),
    # Cell broadcast, v5.0 4.4 and 4.6
    Command(  # v5.0 4.4.1.1
        CommandId.BROADCAST_SM,
        _SERVICE_TYPE,
        *_SOURCE_ADDR,
        _MESSAGE_ID,
        _PRIORITY_FLAG,
        _SCHEDULE,
        _VALIDITY,
        _REPLACE_IF_PRESENT,
        _DATA_CODING,
        _DEFAULT_MSG_ID,
    ),
    Command(CommandId.BROADCAST_SM_RESP, _MESSAGE_ID),  # v5.0 4.4.1.2
    Command(CommandId.QUERY_BROADCAST_SM, _MESSAGE_ID, *_SOURCE_ADDR),  # v5.0 4.6.1.1
    Command(CommandId.QUERY_BROADCAST_SM_RESP, _MESSAGE_ID),  # v5.0 4.6.1.3
    Command(CommandId.CANCEL_BROADCAST_SM, _SERVICE_TYPE, _MESSAGE_ID, *_SOURCE_ADDR),  # v5.0 4.6.2.1
    Command(CommandId.CANCEL_BROADCAST_SM_RESP),  # v5.0 4.6.2.3
)
