"""The one place where the gateway's parts are made and joined, started and stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from smppgw.accounts import Account, forget_senders
from smppgw.admin import AdminServer
from smppgw.admission import Admission
from smppgw.binding import Authenticator
from smppgw.carrier_side import CarrierSide
from smppgw.carriers import Carrier
from smppgw.dispatch import Dispatch
from smppgw.drain import Drain
from smppgw.early import EarlyReceipts
from smppgw.esme_side import EsmeSide, session_settings_of
from smppgw.expiry import Expiry
from smppgw.finding import Finding
from smppgw.handsets import Handsets
from smppgw.inbound import Inbound
from smppgw.inquiry import Inquiry
from smppgw.lines import Lines
from smppgw.metrics import Metrics
from smppgw.orphans import Orphans
from smppgw.outbind import Outbinder
from smppgw.overview import Overview
from smppgw.pacing import Pacing
from smppgw.parts import Parts
from smppgw.quotas import Quotas
from smppgw.receipts import Receipts
from smppgw.reloading import Reloading
from smppgw.routing import Router
from smppgw.senders import Senders
from smppgw.session.server import Server
from smppgw.session.timers import NS
from smppgw.settings import Settings
from smppgw.settling import Settling
from smppgw.store.api import Store
from smppgw.store.files import Files, OsFiles
from smppgw.store.memory import MemoryStore
from smppgw.store.wal import WalStore
from smppgw.telling import envelope_of
from smppgw.throttle.day_cap import pacific_day
from smppgw.throttle.limits import Limits
from smppgw.throttle.pools import Pools
from smppgw.throttle.registry import Registry

HOUSEKEEPING_SECONDS: Final = 0.5
"""How often the lag of the loop is measured, what has expired is ended, and a store that is slow is noticed."""
LOOK_THROUGH_EVERY: Final = 10
"""...and every how many of these what is held, and what waits for ESMEs, is looked through, and limits are sampled."""
UNBIND_SECONDS: Final = 5.0
"""How long ESMEs have to answer our unbind."""


class Gateway:
    """A gateway made from its settings; `start`, then `stop`."""

    def __init__(
        self,
        settings: Settings,
        logger: Any,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        files: Files | None = None,
    ) -> None:
        """Call it in a running loop; nothing is opened before `start`. `files`: the disk of the store."""
        self.settings = settings
        self.metrics = Metrics()
        self._log = logger
        self._clock = clock
        self._wall_clock = wall_clock
        self._draining = False
        self._started = False
        self._tick: asyncio.TimerHandle | None = None
        self._ticks = 0
        listen = settings.listen
        now_ns = clock()
        registry = Registry(settings)
        self.limits = Limits(settings, now_ns, pacific_day(wall_clock()))
        self.router = Router(settings, registry)
        self.lines = Lines(settings.esmes, self.router, registry, self.limits)
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Done when the store has failed: nothing may be promised any more, and the process is to end."""
        self.store = self._store(files or OsFiles())
        self.store.on_ready = self._on_ready
        self.accounts = {
            esme.system_id: Account(esme, self.metrics, now_ns=now_ns) for esme in settings.esmes
        }
        profiles = settings.profiles or {}
        burst = settings.limits.burst_seconds
        self.carriers = {
            each.name: Carrier(each, profiles.get(each.name), now_ns=now_ns, burst_seconds=burst)
            for each in settings.carriers
        }
        session_settings = session_settings_of(listen)
        self.outbinder = Outbinder(
            logger,
            system_id=listen.system_id,
            settings=session_settings,
            clock=clock,
            on_settled=lambda: self.inbound.kick(),
        )
        self.inbound = Inbound(
            self.store,
            self.accounts,
            self.metrics,
            logger,
            clock=clock,
            retention_days=settings.store.retention_days,
            on_unreachable=lambda account: self.outbinder.call(account, self.esme_side),
        )
        self.handsets = Handsets(
            self.router,
            self.store,
            self.accounts,
            self.metrics,
            logger,
            settings.inbound,
            clock=clock,
            on_deliveries=self.inbound.kick,
        )
        self.settling = Settling(
            self.accounts, Parts(self.store), self.metrics, clock=clock, wall_clock=wall_clock
        )
        orphans = Orphans(self.store, self.metrics, logger, settings.inbound)
        finding = Finding(self.store, logger)
        self.early = EarlyReceipts(
            self.store,
            self.carriers,
            finding,
            self.settling,
            self.handsets,
            orphans,
            settings.inbound,
            clock=clock,
            on_deliveries=self.inbound.kick,
        )
        self.receipts = Receipts(
            self.store,
            self.settling,
            finding,
            self.early,
            self.handsets,
            orphans,
            self.metrics,
            logger,
            clock=clock,
            on_deliveries=self.inbound.kick,
        )
        self.expiry = Expiry(
            self.store,
            self.metrics,
            own_receipts=self.settling.own,
            on_deliveries=self.inbound.kick,
        )
        self.pacing = Pacing(self.store, self.lines, self.metrics, now_ns=now_ns)
        self.quotas = Quotas(
            self.store, self.limits, wall_clock=wall_clock, on_room=lambda cap: self.dispatch.has_room(cap)
        )
        self.dispatch = Dispatch(
            self.store,
            self.carriers,
            self.lines.outlets,
            self.pacing,
            self.quotas,
            self.early,
            self.settling,
            self.metrics,
            clock=clock,
            max_attempts=settings.gateway.max_attempts,
            retry_delay=settings.gateway.retry_delay,
            on_expired=self.expiry.expire,
            on_deliveries=self.inbound.kick,
        )
        self.lines.on_forget = partial(forget_senders, self.accounts)
        senders = Senders(
            self.lines, registry, Pools(settings), operators_known=settings.operators is not None
        )
        self.inquiry = Inquiry(
            self.store,
            self.metrics,
            senders,
            clock=clock,
            wall_clock=wall_clock,
            own_receipts=self.settling.own,
            on_deliveries=self.inbound.kick,
            on_returned=self.dispatch.kick,
        )
        self._drain = Drain(
            self.store, self.accounts, self.dispatch, self.inbound, keeps=self._keeps, clock=clock
        )
        self.left = self._drain.left
        self.admission = Admission(
            senders,
            self.store,
            self.metrics,
            self.inquiry,
            clock=clock,
            wall_clock=wall_clock,
            max_octets=settings.store.max_bytes,
            on_accepted=self.dispatch.kick,
        )
        self.esme_side = EsmeSide(
            self.accounts,
            Authenticator(self.accounts, failed_bind_delay=listen.failed_bind_delay),
            self.admission,
            self.inbound,
            self.metrics,
            logger,
            system_id=listen.system_id,
            clock=clock,
        )
        self.server = Server(
            self.esme_side,
            host=listen.host,
            port=listen.port,
            settings=session_settings,
            max_connections=listen.max_connections,
            write_buffer_octets=listen.write_buffer_octets,
            clock=clock,
            on_overflow=lambda: self._log.warning("too_many_connections", limit=listen.max_connections),
        )
        self.carrier_sides = [
            CarrierSide(carrier, self.dispatch, self.receipts, self.metrics, logger, clock=clock)
            for carrier in self.carriers.values()
        ]
        self.overview = Overview(
            settings,
            self.store,
            self.limits,
            self.accounts,
            self.carriers,
            self.metrics,
            clock=clock,
            wall_clock=wall_clock,
            not_ready=self.not_ready,
        )
        self.status = self.overview.status
        self.reloading = Reloading(
            settings,
            self.limits,
            self.router,
            self.lines,
            senders,
            self.accounts,
            self.quotas,
            self.pacing,
            self.overview.limits,
            clock=clock,
            on_reloaded=self.dispatch.kick,
        )
        self.admin = AdminServer(
            settings.admin,
            metrics=self.metrics,
            status=self.status,
            limits=self.overview.limits.page,
            ready=self.not_ready,
        )

    def _store(self, files: Files) -> Store:
        """Make the store that the configuration names."""
        settings = self.settings.store
        if settings.backend == "unsafe-memory":
            return MemoryStore(settings.max_bytes, envelope_of=envelope_of)
        return WalStore(
            self.settings.gateway.data_dir,
            files=files,
            logger=self._log,
            clock=self._clock,
            wall_ns=int(self._wall_clock().timestamp() * NS),
            lane_of=self.lines.named,
            on_failed=self._on_store_failed,
            observe_commit=self.metrics.store_commit,
            settings=settings,
            envelope_of=envelope_of,
        )

    # ---- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Recover, listen and dial.

        Raises: StoreError, or a SmppgwError naming the address that cannot be listened on.
        """
        await self.admin.start()
        try:
            await self._open()
        except BaseException:
            await self.admin.close()
            raise
        for side in self.carrier_sides:
            side.start()
        self._started = True
        self._on_ready()
        self._keep_house(self._clock())
        self._log.info(
            "gateway_started",
            version=version("smppgw"),
            listen=f"{self.settings.listen.host}:{self.server.port}",
            admin=f"{self.settings.admin.host}:{self.admin.port}",
            store="wal" if self._keeps else "unsafe-memory: what is accepted is lost with the process",
        )

    async def _open(self) -> None:
        """Take up what an earlier run has left, then let ESMEs in."""
        await self.store.open()
        # Microseconds since 1970: no run reaches the numbers of a later one below a million messages a second.
        now = int(self._wall_clock().timestamp() * 1_000_000)
        self.admission.first_key = max(now, self.store.highest_key + 1)
        self.settling.parts.unknown_up_to = self.admission.first_key - 1
        try:
            await self.server.start()
        except BaseException:
            await self.store.close()
            raise

    def _on_store_failed(self, error: BaseException) -> None:
        if not self.failure.done():
            self._log.critical("store_failed", error=str(error))
            self.failure.set_result(error)

    def _on_ready(self) -> None:
        """Something may leave that could not before."""
        self.dispatch.kick()
        self.inbound.kick()

    @property
    def _keeps(self) -> bool:
        """Whether what the store has outlives the process."""
        return self.settings.store.backend != "unsafe-memory"

    async def stop(self) -> None:
        """Drain: take nothing more in, answer what there is, send what the store would forget, unbind, close."""
        self._draining = True
        self._log.info("drain_started", **self._drain.remaining())
        self.server.stop_listening()
        self.esme_side.draining = True
        self.admission.draining = True
        if self._keeps:
            self.dispatch.close()
            self.inbound.close()
        await self._drain.until_empty(self.settings.gateway.drain_timeout)
        await self.outbinder.close()
        self.esme_side.unbind_all()
        await self._drain.until(lambda: not self.esme_side.bound, UNBIND_SECONDS)
        self.esme_side.abort_all()
        await self.server.abort_all("the gateway stops")
        self.dispatch.close()
        self.inbound.close()
        await asyncio.gather(*(side.close() for side in self.carrier_sides))
        if self._tick is not None:
            self._tick.cancel()
        left, lost = self.left(), await self.store.close()
        await self.admin.close()
        log = self._log.warning if lost else self._log.info
        log("drain_finished", lost=lost, **left)

    def _keep_house(self, due_ns: int) -> None:
        now_ns = self._clock()
        next_ns = now_ns + int(HOUSEKEEPING_SECONDS * NS)
        self._tick = asyncio.get_running_loop().call_later(HOUSEKEEPING_SECONDS, self._keep_house, next_ns)
        self.metrics.event_loop_lag.observe(max(0, now_ns - due_ns) / NS)
        self.expiry.sweep(now_ns)
        self.quotas.keep()
        if self.store.stalled != self.esme_side.held:
            self.esme_side.hold(self.store.stalled)
            self._log.warning("store_stalled" if self.store.stalled else "store_goes_on")
        self._ticks += 1
        if self._ticks % LOOK_THROUGH_EVERY == 0:
            self.overview.limits.sample(now_ns)
            self.early.expire()
            self.handsets.expire()
            self.inbound.sweep(now_ns)

    # ---- what operators see ----------------------------------------------------------------------------------

    def not_ready(self) -> list[str]:
        """Return why no new traffic should come here; empty when it may. A carrier that is away is no reason."""
        if not self._started:
            return ["recovering"]
        reasons = []
        if self._draining:
            reasons.append("draining")
        if self.failure.done():
            reasons.append("the store has failed")
        elif self.store.full:
            reasons.append("the store is full")
        return reasons
