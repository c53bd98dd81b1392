"""Write the decode function of one command."""

from __future__ import annotations

from collections.abc import Sequence

from smppgw.pdu.codegen_functions import Function, class_name, id_of, kinds_of, split
from smppgw.pdu.constants import HEADER_OCTETS
from smppgw.pdu.fields import (
    TIME_OCTETS,
    COctetString,
    Command,
    Flagged,
    Named,
    Time,
)


class Decode(Function):
    """The position is `base + offset`; base is a local variable, or nothing behind the header."""

    def __init__(self, command: Command, structs: set[str]) -> None:
        super().__init__(command, structs)
        self.base = ""
        self.offset = HEADER_OCTETS
        self.give_up = f"return unreadable({class_name(command)}, octets)"

    def lines(self) -> list[str]:
        name, its_class = self.command.name, class_name(self.command)
        self.walk()
        at = self.at()
        has_strings = any("index(" in line for line in self.out)
        return [
            *("", "", f"def decode_{name}(octets: bytes) -> {its_class}:"),
            f'    """Return the {name} these octets are, its command_id taken for granted. Raises: PduError."""',
            f"    pdu = _new({its_class})",
            "    try:",
            "        length, _, pdu.command_status, pdu.sequence_number = _unpack_header(octets)",
            *(["        index = octets.index"] if has_strings else []),
            *self.out,
            "        if length != len(octets):",
            f"            {self.give_up}",
            f"        pdu.tlvs = () if length == {at} else read_tlvs(octets, {at}, {id_of(self.command)})",
            "    except (ValueError, IndexError, struct.error, FieldError):",
            f"        {self.give_up}",
            "    return pdu",
        ]

    def at(self, plus: int = 0) -> str:
        offset = self.offset + plus
        return f"{self.base} + {offset}" if self.base and offset else self.base or str(offset)

    def moved(self, base: str, offset: int) -> None:
        self.base, self.offset = base, offset

    def settle(self) -> None:
        """Have the position in a variable of its own."""
        if self.at() != "at":
            self.line(f"at = {self.at()}")
            self.moved("at", 0)

    def target(self, field: Named) -> str:
        if isinstance(field.subcon, Time):
            return f"{field.name}_nul"
        return field.name if field.name in self.counted else f"pdu.{field.name}"

    def run(self, run: list[Named]) -> None:
        times = [field for field in run if isinstance(field.subcon, Time)]
        self.read(run)
        if not times:
            return
        before, rest = split(run)
        self.moved(self.base, self.offset - len(rest))
        start = (self.base, self.offset)
        self.line(f"if {' or '.join(self.target(time) for time in times)}:")
        self.indent += 4
        while rest:
            self.settle()
            self.time(rest[0])
            integers, rest = split(rest[1:])
            self.read(integers)
        self.settle()
        self.indent -= 4
        self.line("else:")
        self.indent += 4
        self.line(f'{" = ".join(f"pdu.{time.name}" for time in times)} = b""')
        self.moved(*start)
        self.moved(self.base, self.offset + len(run) - len(before))
        self.line(f"at = {self.at()}")
        self.indent -= 4
        self.moved("at", 0)

    def read(self, run: Sequence[Named]) -> None:
        """Read integers, and times as if they were empty."""
        targets = [self.target(field) for field in run]
        if len(run) <= 2:
            for plus, target in enumerate(targets):
                self.line(f"{target} = octets[{self.at(plus)}]")
        else:
            unpack = self.struct("unpack", f"{len(run)}B")
            self.wrapped("(", targets, f") = {unpack}(octets, {self.at()})")
        self.offset += len(run)

    def time(self, field: Named) -> None:
        self.c_octets(TIME_OCTETS)
        if not field.subcon.lenient:
            self.line(f"if end - at not in (0, {TIME_OCTETS - 1}):")
            self.line(f"    {self.give_up}")
        self.line(f"pdu.{field.name} = octets[at:end]")

    def c_octets(self, bound: int) -> str:
        """Find a string's NUL; return where the string begins."""
        start = self.at()
        stop = str(self.offset + bound) if not self.base else self.at(bound)
        self.line(f'end = index(b"\\0", {start}, {stop})')
        self.moved("end", 1)
        return start

    def c_string(self, field: Named) -> None:
        if self.base:
            self.settle()
        start = self.c_octets(field.subcon.bound)
        self.line(f"pdu.{field.name} = octets[{start}:end]")

    def octets(self, field: Named) -> None:
        self.settle()
        self.line(f"end = at + {field.subcon.count.name}")
        self.line("if end > length:")
        self.line(f"    {self.give_up}")
        self.line(f"pdu.{field.name} = octets[at:end]")
        self.moved("end", 0)

    def items(self, field: Named) -> None:
        items, count = field.subcon, field.subcon.count.name
        if items.fewest:
            self.line(f"if {count} < {items.fewest}:")
            self.line(f"    {self.give_up}")
        names = " | ".join(struct.name for _, struct in kinds_of(items))
        self.line(f"{field.name}: list[{names}] = []")
        self.settle()
        self.line(f"for _ in range({count}):")
        self.indent += 4
        for number, (flag, struct) in enumerate(kinds_of(items)):
            self.moved("at", 0)
            if flag is None:
                self.item(field, struct)
                continue
            if not number:
                self.line(f"{items.item.flag} = octets[at]")
            self.line(f"{'elif' if number else 'if'} {items.item.flag} == {flag}:")
            self.indent += 4
            self.offset = 1
            self.item(field, struct)
            self.indent -= 4
        if isinstance(items.item, Flagged):
            self.line("else:")
            self.line(f"    {self.give_up}")
        self.indent -= 4
        self.line(f"pdu.{field.name} = tuple({field.name})")
        self.moved("at", 0)

    def item(self, field: Named, struct: Named) -> None:
        values = []
        for part in struct.subcon.subcons:
            if isinstance(part.subcon, COctetString):
                start = self.c_octets(part.subcon.bound)
                values.append(f"octets[{start} : end]" if " " in start else f"octets[{start}:end]")
            elif part.subcon.octets == 1:
                values.append(f"octets[{self.at()}]")
                self.offset += 1
            else:
                values.append(f"*{self.struct('unpack', 'I')}(octets, {self.at()})")
                self.offset += part.subcon.octets
        self.wrapped(f"{field.name}.append({struct.name}(", values, "))")
        self.settle()
