"""Write the fast codec from the declarations: `python -m smppgw.pdu.codegen`, with `--check` only compare.

For each command the result has a slotted class with its layout, and an encode and a decode function. What these can
not write or read is handed to `smppgw.pdu.faults`, which finds the field.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from smppgw.pdu.codegen_decode import Decode
from smppgw.pdu.codegen_encode import Encode
from smppgw.pdu.codegen_functions import class_name, id_of, kinds_of
from smppgw.pdu.declarations import COMMANDS
from smppgw.pdu.fields import (
    COctetString,
    Command,
    CountedItems,
    CountedOctets,
    Flagged,
    Integer,
    Named,
    Time,
)

_ITEM_DOCS: Final = {
    "SmeAddress": "One address of a submit_multi.",
    "DistributionList": "A distribution list of a submit_multi, by its name.",
    "UnsuccessSme": "One address of a submit_multi that was refused, and why.",
}
OUTPUT: Final = Path(__file__).with_name("_generated.py")
_TOP: Final = '''"""The fast codec: one class, one encode and one decode function for each command.

Written by `python -m smppgw.pdu.codegen` from `smppgw.pdu.declarations`; do not edit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from struct import Struct
from typing import Any, ClassVar, Final, NamedTuple

from smppgw.pdu.constants import CommandStatus as E
from smppgw.pdu.errors import FieldError
from smppgw.pdu.faults import refuse, unreadable
from smppgw.pdu.layout import CString, Field, Integer, Item, Items, Octets, Pdu, Time
from smppgw.pdu.tlv import Tlv, read_tlvs, write_tlvs

_new = object.__new__
_header = Struct(">IIII").pack
_unpack_header = Struct(">IIII").unpack_from
'''


def generate() -> str:
    """Return the text of `_generated.py`."""
    structs: set[str] = set()
    body = [line for item in _item_structs() for line in _item_class(item)]
    for command in COMMANDS:
        body += [*_class(command), *Encode(command, structs).lines(), *Decode(command, structs).lines()]
    tables = [
        *_table("CLASS_BY_ID", "type[Pdu]", [f"{id_of(c)}: {class_name(c)}" for c in COMMANDS]),
        *_table("ENCODERS", "Callable[[Any], bytes]", [f"{id_of(c)}: encode_{c.name}" for c in COMMANDS]),
        *_table("DECODERS", "Callable[[bytes], Pdu]", [f"{id_of(c)}: decode_{c.name}" for c in COMMANDS]),
    ]
    bound = [
        f'_{way}_{layout.lower()} = Struct(">{layout}").{way}{"_from" if way == "unpack" else ""}'
        for way, layout in sorted(name.split(" ") for name in structs)
    ]
    return _TOP + "\n".join([*bound, *body, "", *tables]) + "\n"


def _table(name: str, value: str, rows: Sequence[str]) -> list[str]:
    return ["", f"{name}: Final[Mapping[int, {value}]] = {{", *(f"    {row}," for row in rows), "}"]


def _item_structs() -> list[tuple[int | None, Named]]:
    found: dict[str, tuple[int | None, Named]] = {}
    for field in (field for command in COMMANDS for field in command.fields):
        if isinstance(field.subcon, CountedItems):
            found |= {struct.name: (flag, struct) for flag, struct in kinds_of(field.subcon)}
    return list(found.values())


def _item_class(item: tuple[int | None, Named]) -> list[str]:
    flag, struct = item
    lines = ["", "", f"class {struct.name}(NamedTuple):", f'    """{_ITEM_DOCS[struct.name]}"""', ""]
    lines += [f"    {field.name}: {_annotation(field)}" for field in struct.subcon.subcons]
    if flag is not None:
        lines += ["", "    @property", "    def dest_flag(self) -> int:"]
        lines += ['        """What tells it from the other kind of item."""', f"        return {flag}"]
    return lines


def _class(command: Command) -> list[str]:
    lines = [
        *("", "", "@dataclass(slots=True, eq=False, repr=False)"),
        f"class {class_name(command)}(Pdu):",
        f'    """{command.name}"""',
        "",
        f"    command_id: ClassVar[int] = {id_of(command)}",
    ]
    lines += _indented(_rows("layout: ClassVar[tuple[Field, ...]] = (", command.fields, ")"))
    if command.body_optional:
        lines.append("    body_optional: ClassVar[bool] = True")
    return [
        *lines,
        "",
        *(f"    {field.name}: {_annotation(field)}" for field in command.fields),
        "    tlvs: Sequence[Tlv] = ()",
        "    _: KW_ONLY",
        "    command_status: int = 0",
        "    sequence_number: int = 0",
    ]


def _annotation(field: Named) -> str:
    if isinstance(field.subcon, Integer):
        return "int = 0"
    if isinstance(field.subcon, CountedItems):
        return f"Sequence[{' | '.join(struct.name for _, struct in kinds_of(field.subcon))}] = ()"
    return 'bytes = b""'


def _layout(field: Named) -> list[str]:
    kind, name = field.subcon, f'"{field.name}"'
    if isinstance(kind, Integer):
        return [f"Integer({name}, {kind.octets}, E.{kind.status.name}),"]
    if isinstance(kind, Time):
        return [f"Time({name}, E.{kind.status.name}, {kind.lenient}),"]
    if isinstance(kind, COctetString):
        return [f"CString({name}, {kind.bound - 1}, E.{kind.status.name}),"]
    if isinstance(kind, CountedOctets):
        return [f'Octets({name}, "{kind.count.name}", {kind.most_sent}, E.{kind.status.name}),']
    flag, flag_status = "None", kind.status
    if isinstance(kind.item, Flagged):
        flag, flag_status = f'"{kind.item.flag}"', kind.item.status
    values = [name, f'"{kind.count.name}"', kind.fewest, kind.most_sent, f"E.{kind.status.name}", flag]
    items = [
        line
        for item_flag, struct in kinds_of(kind)
        for line in (
            "Item(",
            f"    {struct.name},",
            f"    {item_flag},",
            *_indented(_rows("(", struct.subcon.subcons, "),")),
            "),",
        )
    ]
    lines = [*(f"{value}," for value in values), f"E.{flag_status.name},", "(", *_indented(items), "),"]
    return ["Items(", *_indented(lines), "),"]


def _rows(before: str, fields: Sequence[Named], after: str) -> list[str]:
    """Return a tuple of layouts; the formatter wants one of a single row on one line."""
    rows = [row for field in fields for row in _layout(field)]
    if len(rows) < 2:
        return [f"{before}{''.join(rows)}{after}"]
    return [before, *_indented(rows), after]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write `_generated.py`; with `--check` return 1 when it is not what the declarations say."""
    parser = argparse.ArgumentParser(prog="python -m smppgw.pdu.codegen", description=generate.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on drift")
    text = generate()
    if parser.parse_args(arguments).check:
        if OUTPUT.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write(f"{OUTPUT.name} is not what the declarations say: python -m smppgw.pdu.codegen\n")
        return 1
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
