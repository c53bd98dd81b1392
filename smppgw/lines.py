"""The lanes of the gateway: three for each source address of an ESME, on each route that its messages take.

There are as many as numbers, and one that is idle is to cost little: a `Line` is its name and a few references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from weakref import WeakValueDictionary

from smppgw.pdu import peek
from smppgw.pdu.constants import CommandId, Ton
from smppgw.routing import LANES, Route, Router
from smppgw.settings import EsmeSettings
from smppgw.settings import Lane as LaneWord
from smppgw.splitting import Form
from smppgw.store.entries import Lane, Message
from smppgw.throttle.day_cap import DayCap
from smppgw.throttle.limit import Limit
from smppgw.throttle.limits import Limits, Terms
from smppgw.throttle.registry import Reason, Registry
from smppgw.throttle.turns import Turns

LINES_REMEMBERED: Final = 200_000
"""When there are more, and twice as many as the last time, those in which nothing stands are forgotten."""


class Outlet:
    """Carriers in order of preference: the first that is up is sent to. Routes to the same ones share it."""

    __slots__ = ("carriers", "fresh", "hungry", "lingers", "turns")

    def __init__(self, carriers: tuple[str, ...]) -> None:
        self.carriers = carriers
        self.turns: Turns[Line] = Turns()
        """Lines that nothing keeps back but what the carrier takes."""
        self.fresh: list[Message] = []
        """What has been accepted, while nothing waits before it."""
        self.lingers = False
        """Whether that need not stand in lanes yet, since its carrier takes it in a moment."""
        self.hungry = False
        """Whether its carrier had room for more in this pass."""


class Line(Lane):
    """A lane of the store, with what its messages are subject to."""

    __slots__ = (
        "__weakref__",
        "campaign",
        "cap",
        "esme",
        "granter",
        "number",
        "outlet",
        "rank",
        "refusals",
        "route",
        "source",
        "waits",
    )

    def __init__(self, name: str, rank: int, esme: str, source: str, route: Route, outlet: Outlet) -> None:
        super().__init__(name)
        self.rank = rank
        """Its place in `routing.LANES`."""
        self.esme = esme
        self.source = source
        """The source address of its messages; a number by its digits."""
        self.route = route
        self.outlet = outlet
        self.number: Limit | None = None
        self.campaign: Limit | None = None
        self.cap: DayCap | None = None
        self.refusals: Mapping[str, Reason] | None = None
        """Where its messages may not go: those that were accepted before that was so."""
        self.waits: Turns[Line] | None = None
        """Where it has its place among those that wait, for a limit or for their outlet; elsewhere it has none, even
        if it is still found there."""
        self.granter: Limit | DayCap | None = None
        """The limit that it waited for, and that lets one message leave now."""

    @property
    def limits(self) -> Terms:
        """What keeps its messages back."""
        return Terms(self.number, self.campaign, self.cap)

    @property
    def splits(self) -> Form | None:
        """How long messages are split; None: they are not."""
        return self.route.splits


class SourceLines:
    """The lines of one source address of an ESME on one route, by priority_flag; each is made when it is needed."""

    __slots__ = ("_lines", "_others", "_words", "first")

    def __init__(self, lines: Lines, words: Sequence[LaneWord], first: Line) -> None:
        self.first = first
        """That of priority_flag 0."""
        self._lines = lines
        self._words = words
        self._others: dict[LaneWord, Line] | None = None

    def at(self, priority_flag: int) -> Line:
        """Return where messages of a priority_flag stand; one above 3 is as 3."""
        word = self._words[min(priority_flag, len(self._words) - 1)]
        if word == self._words[0]:
            return self.first
        if self._others is None:
            self._others = {}
        line = self._others.get(word)
        if line is None:
            line = self._others[word] = self._lines.beside(self.first, word)
        return line


class Lines:
    """Makes lines, and finds them again."""

    def __init__(
        self, esmes: Iterable[EsmeSettings], router: Router, registry: Registry, limits: Limits
    ) -> None:
        self._router = router
        self._limits = limits
        self._go_by(esmes, registry)
        self._routes = {route.name: route for route in router.routes}
        self._outlets = {route.carriers: Outlet(route.carriers) for route in router.routes}
        self.outlets = tuple(self._outlets.values())
        """Where lines lead to."""
        self._lines: dict[str, Line] = {}
        self._forgotten: WeakValueDictionary[str, Line] = WeakValueDictionary()
        """Those that are here only as long as messages on their way know them."""
        self._most = LINES_REMEMBERED
        self.on_forget: Callable[[], None] = lambda: None
        """Called when lines are forgotten: who remembers some is to ask for them anew."""
        self.needs_destination = router.needs_destination

    def of(self, esme: EsmeSettings, source: str, destination: str) -> SourceLines | None:
        """Return the lines of a source address; None where there is no route.

        `source` is canonical; `destination` matters only where routes `needs_destination`.
        """
        route = self._router.route(esme, source, destination)
        if route is None:
            return None
        words = self._router.lanes(esme, source)
        return SourceLines(self, words, self._line(words[0], route, esme.system_id, source))

    def beside(self, line: Line, word: LaneWord) -> Line:
        """Return the line of another lane of the same source address."""
        return self._line(word, line.route, line.esme, line.source)

    def named(self, name: str) -> Line:
        """Return where what stood in a lane of that name, perhaps under another configuration, is to stand now.

        What stood on a route that is no more goes to the last one, which is the one that takes most.
        """
        word, route_name, esme, source = _parsed(name)
        route = self._routes.get(route_name) or self._router.routes[-1]
        line = self._line(word, route, esme, source)
        self._mark(line)
        return line

    def replace(self, esmes: Iterable[EsmeSettings], registry: Registry) -> None:
        """Let all lines be subject to what the configuration says now; the limits have been changed in place."""
        self._forget()  # most stand empty, and are made anew when they are needed
        self._go_by(esmes, registry)
        for line in (*self._lines.values(), *self._forgotten.values()):
            line.number, line.campaign, line.cap = self._limits.of(line.source)
            self._mark(line)

    def _go_by(self, esmes: Iterable[EsmeSettings], registry: Registry) -> None:
        self._esmes = {esme.system_id: esme for esme in esmes}
        self._registry = registry

    def refusal(self, line: Line, message: Message) -> Reason | None:
        """Say why a message that was accepted may not be sent any more; None where it may."""
        pattern = peek.SHORT_MESSAGE if message.command_id == CommandId.SUBMIT_SM else peek.DATA
        match = pattern.match(message.body)
        assert match is not None, "it was read when it was accepted"
        return self._registry.refusal(
            self._esme(line.esme), line.source, _type_of(line.source), match[2].decode("latin-1")
        )

    def _line(self, word: LaneWord, route: Route, esme: str, source: str) -> Line:
        name = "\t".join((word, route.name, esme, source))
        line = self._lines.get(name)
        if line is None:
            if len(self._lines) >= self._most:
                self._forget()
            line = self._forgotten.pop(name, None) or self._made(name, word, route, esme, source)
            self._lines[name] = line
        return line

    def _made(self, name: str, word: LaneWord, route: Route, esme: str, source: str) -> Line:
        number, campaign, cap = self._limits.of(source)
        source = source if number is None else number.name  # the same words, once
        line = Line(name, LANES.index(word), esme, source, route, self._outlets[route.carriers])
        line.number, line.campaign, line.cap = number, campaign, cap
        return line

    def _mark(self, line: Line) -> None:
        """Have the messages that stand there looked at, one by one, where not all of them may leave."""
        refusals = self._registry.refusals(self._esme(line.esme), line.source, _type_of(line.source))
        line.refusals = refusals or None

    def _esme(self, system_id: str) -> EsmeSettings:
        """Return what is configured of an ESME; of one that is no more, that it may use any source."""
        return self._esmes.get(system_id) or EsmeSettings(system_id, "")

    def _forget(self) -> None:
        """Forget the lines in which nothing stands, but for those that messages on their way come back to."""
        self.on_forget()
        lines, self._lines = self._lines, {}
        while lines:
            name, line = lines.popitem()
            if line.queue is not None or line.waits is not None:
                self._lines[name] = line
            else:
                self._forgotten[name] = line
        self._most = max(LINES_REMEMBERED, 2 * len(self._lines))


def _parsed(name: str) -> tuple[LaneWord, str, str, str]:
    """Return the word, the route, the ESME and the source of a line's name; another name is the source."""
    parts = name.split("\t", 3)
    if len(parts) < 4:
        return LANES[-1], "", "", name
    found, route, esme, source = parts
    word = next((word for word in LANES if word == found), LANES[-1])
    return word, route, esme, source


def _type_of(source: str) -> int:
    """The type of number that an address has by its looks."""
    return Ton.INTERNATIONAL if source.isdigit() else Ton.ALPHANUMERIC
