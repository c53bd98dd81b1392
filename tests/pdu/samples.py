"""PDUs to test with: every command filled in once, and strategies that follow the declarations.

`values` is what construct takes and gives: one mapping of field names, `tlvs`, command_status and sequence_number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from construct import Renamed
from hypothesis import strategies as st

from smppgw.pdu._generated import CLASS_BY_ID, DECODERS, ENCODERS
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.errors import EncodeError, PduError
from smppgw.pdu.fields import COctetString, Command, CountedItems, CountedOctets, Flagged, Integer, Time
from smppgw.pdu.layout import Pdu
from smppgw.pdu.tlv import TLVS

TIME: Final = b"261122100000000+"
FILLED: Final[Mapping[str, bytes]] = {
    "system_id": b"demo",
    "password": b"secret",
    "system_type": b"gw",
    "address_range": b"^1206",
    "service_type": b"CMT",
    "message_id": b"5f3a",
    "dl_name": b"friends",
    "schedule_delivery_time": TIME,
    "validity_period": b"000002000000000R",
    "final_date": TIME,
    "short_message": b"Your appointment is at 10:30",
}
SAMPLE_TLVS: Final = [(0x0204, b"\x00\x2a"), (0x1400, b"vendor"), (0x0381, b"\x01\x01\x01911"), (0x1400, b"")]
"""A standard one, a vendor's twice, and one between them that may repeat."""

command_named: Final = {command.name: command for command in COMMANDS}


def filled(field: Renamed, number: int) -> Any:
    """A value of this field that is not its default; integers differ from their neighbours."""
    kind = field.subcon
    if isinstance(kind, Integer):
        return number % 5 + 1
    if isinstance(kind, CountedItems):
        if isinstance(kind.item, Flagged):
            return [
                {kind.item.flag: flag, **filled_struct(struct)} for flag, struct in kind.item.kinds.items()
            ]
        return [filled_struct(kind.item), filled_struct(kind.item)]
    return FILLED.get(field.name, b"12065550100")


def filled_struct(struct: Renamed) -> dict[str, Any]:
    return {part.name: filled(part, number) for number, part in enumerate(struct.subcon.subcons)}


def sample_values(command: Command, **changes: Any) -> dict[str, Any]:
    """One PDU of this command with every field set."""
    fields = {field.name: filled(field, number) for number, field in enumerate(command.fields)}
    return {**fields, "tlvs": SAMPLE_TLVS, "command_status": 0, "sequence_number": 7, **changes}


def pdu_of(command: Command, values: Mapping[str, Any]) -> Any:
    """The generated class's object with these values."""
    fields = {field.name: values[field.name] for field in command.fields}
    for field in command.fields:
        if isinstance(field.subcon, CountedItems) and isinstance(fields[field.name], list):
            fields[field.name] = [_item_of(field.subcon, item) for item in fields[field.name]]
    header = {name: values[name] for name in ("command_status", "sequence_number")}
    return CLASS_BY_ID[command.command_id](**fields, tlvs=values["tlvs"], **header)


def _item_of(items: CountedItems, item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    layout = next(field for field in _layouts() if field.counted_by == items.count.name)
    kind = next(kind for kind in layout.kinds if layout.flag is None or kind.flag == item[layout.flag])
    return kind.type(**{name: value for name, value in item.items() if name != layout.flag})


def _layouts() -> list[Any]:
    fields = [field for pdu_class in CLASS_BY_ID.values() for field in pdu_class.layout]
    return [field for field in fields if hasattr(field, "kinds")]


def values_of(pdu: Pdu) -> dict[str, Any]:
    """What construct would say of this PDU."""
    values = dict(pdu.fields())
    for name, value in values.items():
        if isinstance(value, tuple):
            values[name] = [_values_of_item(item) for item in value]
    header = {name: getattr(pdu, name) for name in ("command_status", "sequence_number")}
    return {**values, "tlvs": list(pdu.tlvs), **header}


def _values_of_item(item: Any) -> dict[str, Any]:
    flag = {"dest_flag": item.dest_flag} if hasattr(item, "dest_flag") else {}
    return {**flag, **item._asdict()}


def fast_decode(command: Command, octets: bytes) -> Any:
    """The generated decoder's verdict: the values, or what is wrong."""
    try:
        return values_of(DECODERS[command.command_id](octets))
    except PduError as fault:
        return type(fault).__name__, fault.command_status, fault.field


def plain_decode(command: Command, octets: bytes) -> Any:
    """Construct's verdict; fields that need not be read have their defaults."""
    try:
        values = command.parse(octets)
    except PduError as fault:
        return type(fault).__name__, fault.command_status, fault.field
    return {**values_of(CLASS_BY_ID[command.command_id]()), **plain(values)}


def plain(value: Any) -> Any:
    """Containers as dicts and lists."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items() if name != "_io"}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def fast_encode(command: Command, values: Mapping[str, Any]) -> Any:
    """The generated encoder's verdict: the octets, or the field that does not fit."""
    return _encode(lambda: ENCODERS[command.command_id](pdu_of(command, values)))


def plain_encode(command: Command, values: Mapping[str, Any]) -> Any:
    """Construct's verdict."""
    return _encode(lambda: command.build(values))


def _encode(build: Callable[[], bytes]) -> Any:
    try:
        return build()
    except EncodeError as fault:
        return fault.command, fault.field


# Strategies


def c_octets(longest: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=longest).map(lambda octets: octets.replace(b"\0", b"\1"))


def field_values(field: Renamed) -> st.SearchStrategy[Any]:
    """Values of a field that fit."""
    kind = field.subcon
    if isinstance(kind, Integer):
        return st.integers(0, (1 << 8 * kind.octets) - 1)
    if isinstance(kind, Time):
        return st.sampled_from([b"", TIME])
    if isinstance(kind, COctetString):
        return c_octets(kind.bound - 1)
    if isinstance(kind, CountedOctets):
        return st.binary(max_size=kind.most_sent)
    assert isinstance(kind, CountedItems)
    if isinstance(kind.item, Flagged):
        flag = kind.item.flag
        kinds = [struct_values(struct, {flag: st.just(int(n))}) for n, struct in kind.item.kinds.items()]
        return st.lists(st.one_of(kinds), min_size=kind.fewest, max_size=4)
    return st.lists(struct_values(kind.item, {}), max_size=4)


def struct_values(struct: Renamed, also: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(also | {part.name: field_values(part) for part in struct.subcon.subcons})


def tlvs() -> st.SearchStrategy[list[tuple[int, bytes]]]:
    """Some TLVs that are read: known ones of a size they may have, and unknown ones."""
    known = st.sampled_from(sorted(TLVS)).flatmap(
        lambda tag: st.sampled_from(sorted(TLVS[tag].accepted)[:70]).flatmap(
            lambda size: st.tuples(st.just(tag), st.binary(min_size=size, max_size=size))
        )
    )
    unknown = st.tuples(st.integers(0x1400, 0xFFFF), st.binary(max_size=12))
    return st.lists(known | unknown, max_size=3)


def pdu_values(command: Command) -> st.SearchStrategy[dict[str, Any]]:
    """PDUs of one command that can be encoded."""
    return st.fixed_dictionaries(
        {field.name: field_values(field) for field in command.fields}
        | {
            "tlvs": tlvs(),
            "command_status": st.sampled_from([0, 0, 0x58, 0xFFFFFFFF]),
            "sequence_number": st.integers(0, 0xFFFFFFFF),
        }
    )


VALUES: Final = {command.name: pdu_values(command) for command in COMMANDS}
any_command: Final = st.sampled_from(COMMANDS)
any_pdu: Final = any_command.flatmap(lambda command: st.tuples(st.just(command), VALUES[command.name]))
