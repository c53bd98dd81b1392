"""Write the encode function of one command."""

from __future__ import annotations

from collections.abc import Sequence

from smppgw.pdu.codegen_functions import WIDTH, Function, class_name, fused, id_of, kinds_of, split
from smppgw.pdu.constants import HEADER_OCTETS, RESPONSE_BIT
from smppgw.pdu.fields import (
    TIME_OCTETS,
    COctetString,
    Command,
    CountedItems,
    CountedOctets,
    Integer,
    Named,
    Time,
)


class Encode(Function):
    """Collects the pieces of the body; the NUL of a string travels with the integers behind it."""

    def __init__(self, command: Command, structs: set[str]) -> None:
        super().__init__(command, structs)
        self.pieces: list[str] = []
        self.nul_due = False

    def lines(self) -> list[str]:
        command = self.command
        self.header_alone()
        for field in command.fields:
            if not isinstance(field.subcon, Integer):
                self.line(f"{field.name} = pdu.{field.name}")
        self.bounds()
        self.walk()
        self.flush_nul()
        if self.pieces:
            self.wrapped('body = b"".join((', self.pieces, "))")
        else:
            self.line('body = b""')
        header = f"{HEADER_OCTETS} + len(body), {id_of(command)}, pdu.command_status, pdu.sequence_number"
        return [
            *("", "", f"def encode_{command.name}(pdu: {class_name(command)}) -> bytes:"),
            f'    """Return the octets of a {command.name}. Raises: EncodeError."""',
            "    try:",
            *self.out,
            "        if pdu.tlvs:",
            f'            body += write_tlvs(pdu.tlvs, "{command.name}")',
            f"        return _header({header}) + body",
            "    except (struct.error, TypeError):",
            "        refuse(pdu)",
        ]

    def header_alone(self) -> None:
        """A response that reports an error and says nothing else has no body (SMPP v3.4 section 4.4.2)."""
        if self.command.command_id & RESPONSE_BIT and self.command.fields:
            tests = [_is_default(field) for field in self.command.fields]
            self.condition("and", ["pdu.command_status", *tests, "not pdu.tlvs"])
            header = f"{HEADER_OCTETS}, {id_of(self.command)}, pdu.command_status, pdu.sequence_number"
            self.line(f"    return _header({header})")

    def bounds(self) -> None:
        """Check every bound in one expression."""
        checks = []
        for field in self.command.fields:
            kind, name = field.subcon, field.name
            if isinstance(kind, CountedItems) and kind.fewest:
                checks.append(f"not {kind.fewest} <= len({name}) <= {kind.most_sent}")
            elif isinstance(kind, CountedOctets | CountedItems):
                checks.append(f"len({name}) > {kind.most_sent}")
            elif isinstance(kind, COctetString) and not isinstance(kind, Time):
                checks += [f"len({name}) > {kind.bound - 1}", f"0 in {name}"]
        self.refuse_if(checks)

    def condition(self, joined_by: str, tests: Sequence[str]) -> None:
        line = f"if {f' {joined_by} '.join(tests)}:"
        if self.indent + len(line) <= WIDTH:
            self.line(line)
            return
        self.line("if (")
        self.line(f"    {tests[0]}")
        for test in tests[1:]:
            self.line(f"    {joined_by} {test}")
        self.line("):")

    def refuse_if(self, checks: Sequence[str]) -> None:
        if checks:
            self.condition("or", checks)
            self.line("    refuse(pdu)")

    def flush_nul(self) -> None:
        if self.nul_due:
            self.pieces.append('b"\\0"')
            self.nul_due = False

    def pack(self, run: Sequence[Named], nul: str) -> str:
        """Return the expression of integers, and of times as if they were empty, behind a NUL or not."""
        values = [
            f"len({self.counted[field.name]})" if field.name in self.counted else f"pdu.{field.name}"
            for field in run
            if not isinstance(field.subcon, Time)
        ]
        return f"{self.struct('pack', nul + fused(run))}({', '.join(values)})"

    def run(self, run: list[Named]) -> None:
        nul = "x" if self.nul_due else ""
        self.nul_due = False
        times = [field for field in run if isinstance(field.subcon, Time)]
        if not times:
            self.pieces.append(self.pack(run, nul))
            return
        self.line(f"if {' or '.join(f'{time.name} != b{chr(34) * 2}' for time in times)}:")
        self.indent += 4
        checks = [
            check
            for time in times
            for check in (f"len({time.name}) not in (0, {TIME_OCTETS - 1})", f"0 in {time.name}")
        ]
        self.refuse_if(checks)
        pieces = []
        integers, rest = split(run)
        if integers or nul:
            pieces.append(self.pack(integers, nul) if integers else 'b"\\0"')
        while rest:
            pieces.append(rest[0].name)
            integers, rest = split(rest[1:])
            pieces.append(self.pack(integers, "x") if integers else 'b"\\0"')
        self.wrapped('timed = b"".join((', pieces, "))")
        self.indent -= 4
        self.line("else:")
        self.indent += 4
        pack, _, values = self.pack(run, nul)[:-1].partition("(")
        self.wrapped(f"timed = {pack}(", values.split(", "), ")")
        self.indent -= 4
        self.pieces.append("timed")

    def c_string(self, field: Named) -> None:
        self.flush_nul()
        self.pieces.append(field.name)
        self.nul_due = True

    def octets(self, field: Named) -> None:
        self.pieces.append(field.name)

    def items(self, field: Named) -> None:
        name = f"{field.name}_items"
        self.line(f"{name}: list[bytes] = []")
        self.line("item: object")
        self.line(f"for item in {field.name}:")
        self.indent += 4
        for number, (flag, struct) in enumerate(kinds_of(field.subcon)):
            self.line(f"{'elif' if number else 'if'} isinstance(item, {struct.name}):")
            self.indent += 4
            self.item(name, flag, struct)
            self.indent -= 4
        self.line("else:")
        self.line("    refuse(pdu)")
        self.indent -= 4
        self.pieces.append(f"*{name}")

    def item(self, name: str, flag: int | None, struct: Named) -> None:
        strings = [part for part in struct.subcon.subcons if isinstance(part.subcon, COctetString)]
        for part in strings:
            self.line(f"{part.name} = item.{part.name}")
        self.refuse_if(
            [c for p in strings for c in (f"len({p.name}) > {p.subcon.bound - 1}", f"0 in {p.name}")]
        )
        pieces: list[str] = []
        layout, values = ("B", [str(flag)]) if flag is not None else ("", [])
        for part in [*struct.subcon.subcons, None]:
            if part is not None and isinstance(part.subcon, Integer):
                layout += {1: "B", 4: "I"}[part.subcon.octets]
                values.append(f"item.{part.name}")
                continue
            if values:
                pieces.append(f"{self.struct('pack', layout)}({', '.join(values)})")
            elif layout:
                pieces.append('b"\\0"')
            if part is not None:
                pieces.append(part.name)
            layout, values = "x", []
        self.wrapped(f"{name} += (", pieces, ")")


def _is_default(field: Named) -> str:
    """Return the test of a field that says nothing; one of another type is no default, and so is refused."""
    if isinstance(field.subcon, CountedItems):
        return f"not pdu.{field.name}"
    return f"pdu.{field.name} == 0" if isinstance(field.subcon, Integer) else f'pdu.{field.name} == b""'
