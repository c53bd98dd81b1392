"""What is known of the source addresses of ESMEs: where their messages stand, and where they may not go.

It is looked up once for each address of an ESME and remembered with its account. An address that stands for several
numbers, a pool, is one of them as soon as it is known where a message goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

from smppgw.lines import Line, Lines, SourceLines
from smppgw.pdu.constants import CommandStatus
from smppgw.settings import EsmeSettings
from smppgw.submission import Refusal
from smppgw.throttle.nanp import NATIONAL_DIGITS
from smppgw.throttle.pools import Pools
from smppgw.throttle.registry import ANYWHERE, Reason, Registry

Place: TypeAlias = tuple[Line, bytes, bool]
"""Where a message stands; the number that it comes from, if its source is a pool's, else empty; whether it counts to
the cap of a day."""

SENDERS_REMEMBERED: Final = 100_000
"""Of each ESME; above it the memory starts anew."""
PREFIXES_REMEMBERED: Final = 10_000
"""Beginnings of destinations; likewise."""

_PREFIX_OCTETS: Final = 5
"""Of a destination decide, unless it is a number of +1 without its 1."""

T = TypeVar("T")


class Sender:
    """One source address of one ESME. There are as many as numbers: it is kept small."""

    __slots__ = ("lines", "numbers", "plain", "refusals", "source")

    def __init__(
        self, source: str, lines: SourceLines | None, refusals: Mapping[str, Reason], *, pool: bool
    ) -> None:
        self.source = source
        """As it is compared."""
        self.lines = lines
        """None where they depend on the destination, or there are none."""
        self.refusals = refusals
        self.numbers: dict[str, SourceLines] | None = {} if pool else None
        """Of a pool: the lines of its numbers, of those that have been picked; None for what is no pool."""
        self.plain = lines.first if lines is not None and not refusals else None
        """The first of `lines`, where it does not depend on the destination whether they may send (hot path: of many
        senders, each object that is looked at is one that the processor has to fetch from memory)."""

    def line(self, priority_flag: int) -> Line:
        """Return where a message of a plain sender stands."""
        assert self.lines is not None, "it is plain"
        return self.lines.at(priority_flag)


class _ByPrefix(Generic[T]):
    """What depends on the beginning of a destination, remembered."""

    __slots__ = ("_answers", "_ask")

    def __init__(self, ask: Callable[[str], T]) -> None:
        self._ask = ask
        self._answers: dict[bytes, T] = {}

    def of(self, destination: bytes) -> T:
        if len(destination) == NATIONAL_DIGITS:  # it may be one without its 1
            return self._ask(destination.decode("latin-1"))
        prefix = destination[:_PREFIX_OCTETS]
        answer = self._answers.get(prefix)
        if answer is None:
            if len(self._answers) >= PREFIXES_REMEMBERED:
                self._answers.clear()
            answer = self._answers[prefix] = self._ask(destination.decode("latin-1"))
        return answer


class Senders:
    """Looks senders up, and says where their messages stand."""

    def __init__(self, lines: Lines, registry: Registry, pools: Pools, *, operators_known: bool) -> None:
        """`operators_known`: whether the registry tells the operator of a destination, which all its digits decide."""
        self._lines = lines
        self.replace(registry, pools, operators_known=operators_known)

    def replace(self, registry: Registry, pools: Pools, *, operators_known: bool) -> None:
        """Go by another configuration; what accounts remember of this one is to be forgotten, see `Account.change`."""
        self._registry = registry
        self._pools = pools
        self._region = _ByPrefix(registry.region_of)
        self._counts_by_prefix = None if operators_known else _ByPrefix(registry.counts_to_day)

    def look_up(self, esme: EsmeSettings, remembered: dict[bytes, Sender], address: bytes) -> Sender:
        """Return what is known of a source address, which is TON, NPI and the address itself; and remember it."""
        registry = self._registry
        said = address[2:].decode("latin-1")
        source = registry.canonical(said)
        refusals = registry.refusals(esme, said, address[0])
        pool = self._pools.pick(source, "") is not None
        lines = None
        if ANYWHERE not in refusals and not pool and not self._lines.needs_destination:
            lines = self._lines.of(esme, source, "")
        if len(remembered) >= SENDERS_REMEMBERED:
            remembered.clear()
        if lines is not None:
            source = lines.first.source
        sender = remembered[address] = Sender(source, lines, refusals, pool=pool)
        return sender

    def place(self, sender: Sender, esme: EsmeSettings, destination: bytes, priority_flag: int) -> Place:
        """Return where a message stands. Refuses: ESME_RINVSRCADR who may not send there, ESME_RINVDSTADR no route."""
        refusals = sender.refusals
        if refusals:
            reason = refusals.get(ANYWHERE) or refusals.get(self._region.of(destination))
            if reason is not None:
                raise Refusal(CommandStatus.ESME_RINVSRCADR, reason)
        number = ""
        lines = sender.lines
        if lines is None:
            source = sender.source
            if sender.numbers is not None:
                number = source = self._pools.pick(source, destination.decode("latin-1")) or source
                lines = sender.numbers.get(number)
            if lines is None:
                lines = self._lines.of(esme, source, destination.decode("latin-1"))
                if lines is None:
                    raise Refusal(CommandStatus.ESME_RINVDSTADR)
                if sender.numbers is not None and not self._lines.needs_destination:
                    sender.numbers[number] = lines
        line = lines.at(priority_flag)
        return line, number.encode("latin-1"), line.cap is None or self.counts(destination)

    def counts(self, destination: bytes) -> bool:
        """Return whether a message counts to the cap of a day."""
        if self._counts_by_prefix is not None:
            return self._counts_by_prefix.of(destination)
        return self._registry.counts_to_day(destination.decode("latin-1"))

    def number_of(self, source: bytes, destination: bytes) -> bytes | None:
        """Return the number that a pool's message to a destination comes from; None for a source that is no pool."""
        number = self._pools.pick(source.decode("latin-1"), destination.decode("latin-1"))
        return None if number is None else number.encode("latin-1")
