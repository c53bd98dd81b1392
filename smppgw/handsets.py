"""Messages of handsets (MO): to the ESME that owns the number, long ones whole where it wants them so.

Parts of a long message stand on a shelf of the store until all of them are there; nothing is remembered here, so that a
restart in between changes nothing. Only parts wait: a later message of the same handset overtakes those that are held,
since to wait for a part that may never come would hold back what is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from smppgw.accounts import Account
from smppgw.joining import Place, joined, place_of
from smppgw.metrics import Metrics
from smppgw.notice import FromHandset
from smppgw.orphans import NOBODY
from smppgw.pdu.constants import CommandStatus, InterfaceVersion
from smppgw.routing import Router
from smppgw.session.timers import NS
from smppgw.settings import InboundSettings
from smppgw.store.api import Store
from smppgw.store.entries import Delivery, Held

_SHELF: Final = "parts/"

UNOWNED_LINE_SECONDS: Final = 60
"""A carrier's messages to numbers that are nobody's are logged at most this often."""

PLACES_AT_HAND: Final = 4096
"""Parts that are read once and not again with each of their fellows: some messages of the most parts there can be."""


class Taken:
    """What comes of the requests of one carrier that arrived together (hot path: slotted)."""

    __slots__ = (
        "carrier",
        "deliveries",
        "incomplete",
        "joined",
        "mo",
        "now_ns",
        "overfull",
        "unowned",
        "unowned_destination",
    )

    def __init__(self, carrier: str, now_ns: int) -> None:
        self.carrier = carrier
        """Its name."""
        self.now_ns = now_ns
        self.deliveries: list[Delivery] = []
        """What the store is to be handed with the next `receive`."""
        self.overfull: dict[str, bool] = {}
        """Whether an ESME has so much waiting that it gets no more, as far as that was asked."""
        self.mo = 0
        self.unowned = 0
        self.unowned_destination = b""
        """Of the last one."""
        self.joined = 0
        """Long messages made of their parts."""
        self.incomplete = 0
        """Parts that are passed on alone."""


class _OfCarrier:
    """What is counted of one carrier."""

    __slots__ = ("incomplete", "joined", "logged_ns", "mo", "unowned", "unowned_since")

    def __init__(self, metrics: Metrics, carrier: str) -> None:
        self.mo = metrics.mo(carrier)
        self.unowned = metrics.mo_unowned(carrier)
        self.joined = metrics.mo_joined(carrier)
        self.incomplete = metrics.mo_incomplete(carrier)
        self.unowned_since = 0
        """How many were nobody's since the last line about them."""
        self.logged_ns: int | None = None


class Handsets:
    """Takes what handsets send."""

    def __init__(
        self,
        router: Router,
        store: Store,
        accounts: Mapping[str, Account],
        metrics: Metrics,
        logger: Any,
        settings: InboundSettings,
        *,
        clock: Callable[[], int],
        on_deliveries: Callable[[], None],
    ) -> None:
        """`on_deliveries` is called when what `expire` has passed on is durable."""
        self._router = router
        self._store = store
        self._accounts = accounts
        self._log = logger
        self._settings = settings
        self._hold_ns = int(settings.hold_parts * NS)
        self._clock = clock
        self._on_deliveries = on_deliveries
        self._place_of = lru_cache(PLACES_AT_HAND)(place_of)
        self._carriers = {name: _OfCarrier(metrics, name) for name in router.carriers}

    def take(self, taken: Taken, said: FromHandset, command_id: int, body: bytes) -> int:
        """Take a message in; return the command_status for the carrier, to be answered when the batch is durable.

        ESME_RMSGQFUL where too much waits for its owner; ESME_RX_P_APPN where it is nobody's and too much is kept.
        """
        taken.mo += 1
        owner = self._router.owner(said.destination.decode("latin-1"))
        if owner is None:
            taken.unowned += 1
            taken.unowned_destination = said.destination
            if self.is_overfull(taken, NOBODY):
                return CommandStatus.ESME_RX_P_APPN
            owner = NOBODY
        elif self.is_overfull(taken, owner):
            return CommandStatus.ESME_RMSGQFUL
        elif said.concatenated and self._wants_whole(owner):
            place = self._place_of(command_id, body)
            if place is not None:
                self._take_part(taken, owner, place, Held(place.key, command_id, body, taken.now_ns))
                return CommandStatus.ESME_ROK
        taken.deliveries.append(Delivery(owner, "mo", command_id, body, said.tlv_at, taken.now_ns))
        return CommandStatus.ESME_ROK

    def is_overfull(self, taken: Taken, esme: str) -> bool:
        """Whether so much waits for this ESME, or is kept for nobody, that the carrier is to keep the rest."""
        overfull = taken.overfull.get(esme)
        if overfull is None:
            overfull = taken.overfull[esme] = self._store.waiting_deliveries(esme) >= self._most_waiting(esme)
        return overfull

    def _most_waiting(self, esme: str) -> float:
        if esme == NOBODY:
            return self._settings.max_kept
        account = self._accounts.get(esme)  # none for a message of an ESME that is configured no more
        return account.settings.max_waiting if account is not None else float("inf")

    def _wants_whole(self, esme: str) -> bool:
        """Whether parts are joined for an ESME: not where only 3.3 binds take them, which know no message_payload."""
        account = self._accounts.get(esme)
        if account is None or account.settings.long_mo == "parts":
            return False
        receivers = account.receivers
        return not receivers or any(
            link.connection.session.peer_version >= InterfaceVersion.V3_4 for link in receivers
        )

    def _take_part(self, taken: Taken, owner: str, place: Place, part: Held) -> None:
        """Hold a part until the others are there; pass the whole on when it is the last of them."""
        shelf = _shelf_of(taken.carrier)
        fellows = self._store.held(shelf, place.key)
        if fellows:
            places = map(self._place_of_held, fellows)
            same = next((each for each in places if each.number == place.number), None)
            too_old = fellows[0].received_ns < taken.now_ns - self._hold_ns
            if too_old or (same is not None and same.octets != place.octets):
                # The reference is used again: what is held belongs to another message.
                self._pass_on(taken, self._store.release(shelf, [place.key]))
                fellows = ()
            elif same is not None:
                return  # it came again: it is held already
        if len(fellows) + 1 < place.total:
            self._pass_on(taken, self._store.hold(shelf, [part], self._settings.max_held))
            return
        parts = [*self._store.release(shelf, [place.key]), part]
        whole = joined([(each.command_id, each.body) for each in parts])
        if whole is None:
            self._pass_on(taken, parts)
        else:
            taken.joined += 1
            taken.deliveries.append(Delivery(owner, "mo", *whole, taken.now_ns))

    def _pass_on(self, taken: Taken, parts: Sequence[Held]) -> None:
        """Pass parts on as they came, to whom their number belongs now; even where much waits, since they are ours."""
        taken.incomplete += len(parts)
        for part in parts:
            place = self._place_of_held(part)
            owner = self._router.owner(place.destination.decode("latin-1")) or NOBODY
            taken.deliveries.append(
                Delivery(owner, "mo", part.command_id, part.body, place.tlv_at, part.received_ns)
            )

    def _place_of_held(self, part: Held) -> Place:
        """Return the place of what is held: it is held because it has one."""
        return cast("Place", self._place_of(part.command_id, part.body))

    def expire(self) -> None:
        """Pass on the parts that were held long enough; call it now and then."""
        now_ns = self._clock()
        for shelf in self._store.shelves():
            if not shelf.startswith(_SHELF):
                continue
            expired = self._store.expire_held(shelf, now_ns - self._hold_ns)
            if expired:
                carrier = shelf.removeprefix(_SHELF)
                taken = Taken(carrier, now_ns)
                self._pass_on(taken, expired)
                self._store.receive(carrier, taken.deliveries, (), self._on_deliveries)
                self.report(taken)

    def report(self, taken: Taken) -> None:
        """Count what has been taken, once for a batch; log what is nobody's, now and then."""
        carrier = self._carriers.get(taken.carrier)
        if carrier is None:  # what it held was passed on, but the configuration has it no more
            return
        if taken.mo:
            carrier.mo.add(taken.mo)
        if taken.joined:
            carrier.joined.add(taken.joined)
        if taken.incomplete:
            carrier.incomplete.add(taken.incomplete)
            self._log.info("mo_incomplete", carrier=taken.carrier, count=taken.incomplete)
        if not taken.unowned:
            return
        carrier.unowned.add(taken.unowned)
        carrier.unowned_since += taken.unowned
        if carrier.logged_ns is None or taken.now_ns - carrier.logged_ns >= UNOWNED_LINE_SECONDS * NS:
            self._log.warning(
                "mo_unowned",
                carrier=taken.carrier,
                destination_addr=taken.unowned_destination.decode("latin-1"),
                count=carrier.unowned_since,
            )
            carrier.unowned_since, carrier.logged_ns = 0, taken.now_ns


def _shelf_of(carrier: str) -> str:
    return _SHELF + carrier
