"""What a configuration says, as frozen values with their units and defaults.

`smppgw.config` reads these from TOML and is the only place that checks them; every layer is handed the ones
it needs. Times are seconds, sizes octets, rates messages or segments a second; 0 means "no limit" where it
says so.

The reader goes by what stands here: the annotation is the type, a default makes a key optional, `key` in the
metadata is the name in TOML where it is not the field's own, a field kept out of `repr()` is a secret, and
the first field of a repeated table is its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from smppgw.operators import Operators
from smppgw.tables import CampaignClass, CountryTable, ErrorProfile, NumberType, TierTable

Alphabet = Literal["gsm7", "latin1", "ascii"]
Lane = Literal["otp", "transactional", "promotional"]
Status = Literal["pending", "approved", "rejected"]
MessageIdFormat = Literal["auto", "text", "hex", "dec", "hex-dec", "dec-hex"]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """`[gateway]`"""

    name: str = "smppgw"
    """Who speaks: shown in logs and on /status."""
    data_dir: Path = Path("data")
    """Where the store lives."""
    drain_timeout: float = 20.0
    """Seconds a stopping gateway waits for answers before it closes what is left."""
    max_attempts: int = 5
    """How often one message is sent, first time included, while carriers answer with a temporary error."""
    retry_delay: float = 5.0
    """Seconds before the second attempt; doubled at each further one."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """`[listen]`: where ESMEs bind to us, and what one connection may cost."""

    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = "smppgw"
    """Our name in bind responses, at most 15 characters."""
    max_connections: int = 2000
    """Connections in all; one more is closed at once."""
    max_pdu_octets: int = 70_000
    """The highest command_length accepted from a bound peer."""
    bind_timeout: float = 10.0
    """Seconds from the connection to a complete bind (session_init timer)."""
    enquire_link: float = 30.0
    """Seconds of silence before we send enquire_link; 0: never."""
    inactivity: float = 0.0
    """Seconds without a message PDU before we unbind; 0: never."""
    response_timeout: float = 30.0
    """Seconds we wait for an answer to a request of ours."""
    read_timeout: float = 30.0
    """Seconds a started PDU may take to be whole."""
    write_buffer_octets: int = 1_048_576
    """What may wait for a peer that does not read; above it the peer is closed."""
    failed_bind_delay: float = 1.0
    """Seconds before a refused bind is answered; doubled at each further one of an address, up to 30."""


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """`[admin]`: metrics and health, plain HTTP."""

    host: str = "127.0.0.1"
    port: int = 9464
    campaign_series: int = 0
    """How many campaigns, the first of the configuration, have series of their own in the metrics; 0: none."""


@dataclass(frozen=True, slots=True)
class OutbindSettings:
    """`outbind` of an `[[esme]]`: where that ESME listens for us (SMPP v3.4 section 2.2.1)."""

    host: str
    port: int
    system_id: str = ""
    """What we call ourselves; `[listen] system_id` when empty."""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class EsmeSettings:
    """One `[[esme]]`: an application that binds to us."""

    system_id: str
    password: str = field(repr=False)
    allowed_ips: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks it may come from; empty: any."""
    max_binds: int = 4
    window: int = 100
    """Requests in flight on one bind, each way."""
    messages_per_second: float = 0.0
    """Over all its binds; above it ESME_RTHROTTLED. 0: no limit."""
    sources: tuple[str, ...] = ()
    """Source addresses it may use, and the numbers whose replies are its own."""
    campaigns: tuple[str, ...] = ()
    """Campaigns (`id`) whose numbers it may use, and pools of them, as if they stood in `sources`. With both empty: any
    source."""
    over_limit: Literal["queue", "reject"] = "queue"
    """A message above the limits of its number, campaign or brand waits in its lane, or is answered with
    ESME_RTHROTTLED."""
    max_queued: int = 100_000
    """Messages accepted from it and not yet sent; above it ESME_RMSGQFUL."""
    max_waiting: int = 1_000_000
    """Receipts and replies that wait for it; above it ESME_RMSGQFUL, to it and to carriers that bring more."""
    delivery_validity: float = 259_200.0
    """Seconds that a receipt or a reply waits for it; what is older is closed as expired."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of numbers, digits only, whose replies are its own where no ESME has the whole number in `sources`;
    the longest one that fits decides."""
    long_mo: Literal["join", "parts"] = "join"
    """A long message of a handset comes as one, its text in message_payload, or part by part as carriers bring it."""
    receipt_data_coding: Literal["message", "default"] = "message"
    """Receipts are in the data_coding of the message they are about, or all in data_coding 0."""
    lane: Lane | None = None
    """Lane of its messages where no campaign says; None: by priority_flag."""
    outbind: OutbindSettings | None = None


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """One `[[carrier]]`: an SMSC we bind to."""

    name: str
    host: str
    system_id: str
    password: str = field(repr=False)
    port: int = 2775
    system_type: str = ""
    bind: Literal["trx", "tx+rx"] = "trx"
    binds: int = 1
    """Connections of each kind."""
    window: int = 10
    """submit_sm in flight on one bind."""
    messages_per_second: float = 0.0
    """Over all its binds. 0: no limit."""
    bind_messages_per_second: float = 0.0
    """On each of its binds. 0: no limit."""
    message_id: MessageIdFormat = "auto"
    """How the id in a receipt is written, beside that in the response; auto learns it."""
    profile: Path | None = None
    """The file that says what its errors mean (`ErrorProfile`); None: what the specification's words say."""
    long_messages: Literal["whole", "udh", "sar"] = "whole"
    """A text too long for one message goes as it came, or we split it: with user data headers, or with sar_*."""
    interface_version: Literal[0x33, 0x34, 0x50] = 0x34
    """The version of SMPP that we bind with."""
    enquire_link: float = 30.0
    response_timeout: float = 30.0
    bind_timeout: float = 10.0
    reconnect_min: float = 1.0
    """Seconds before the first attempt to bind again; doubled, with jitter, at each."""
    reconnect_max: float = 60.0
    max_pdu_octets: int = 70_000
    long_password: bool = False
    """Send a password of more than 8 characters, which the specification does not allow."""


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """One `[[route]]`: the first one that matches a message names its carriers, in order of preference."""

    carriers: tuple[str, ...]
    esme: str | None = None
    source: str | None = None
    """Beginning of the source address, digits only."""
    destination: str | None = None
    """Beginning of the destination address, digits only."""
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class BrandSettings:
    """One `[[brand]]`."""

    id: str
    status: Status = "pending"
    reason: str = ""
    """Why it was rejected, in the registry's words."""
    tax_id: str = ""
    """Brands of one tax id share one day cap, the lowest of theirs; empty: it has its own."""
    tier: str | None = None
    """Its name in the table of tiers, from which the day cap follows; "sole_proprietor" may have one number."""
    segments_per_day: int | Literal["unlimited"] | None = None
    """In place of the tier's cap. Segments a day of America/Los_Angeles; None: from the tier."""


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """One `[[campaign]]`."""

    id: str
    brand: str
    """The `id` of its `[[brand]]`."""
    status: Status = "pending"
    """Only the numbers of an approved campaign of an approved brand may send."""
    reason: str = ""
    """Why it was rejected, in the registry's words."""
    use_case: str = ""
    """What it was registered for, as the registry calls it: shown, not acted on."""
    class_: CampaignClass | None = field(default=None, metadata={"key": "class"})
    """The message class, from which the rate follows."""
    lane: Lane | None = None
    """Lane of its messages; None: by what the ESME says."""
    numbers: tuple[str, ...] = ()
    """Telephone numbers, digits only. A number belongs to one campaign."""
    segments_per_minute: int | Literal["unlimited"] | None = None
    """In place of the class's rate. Segments a minute; None: from the class."""


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """One `[[number]]`: a toll-free number, a short code, a long code with its own rate."""

    number: str
    """Digits only, ten of them with the 1 of +1."""
    segments_per_second: float | None = None
    """In place of the rate that the table of tiers has for its type."""
    type: NumberType | None = None
    """None: by its digits."""
    verified: bool = False
    """Whether a toll-free number is verified; one that is not may not send to the US."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """One `[[pool]]`: numbers of a campaign; a message with its name as source gets one of them."""

    name: str
    """The source address that stands for it, at most 20 characters."""
    campaign: str
    """The `id` of its `[[campaign]]`."""
    numbers: tuple[str, ...] = ()
    """Digits only; empty: all numbers of the campaign."""


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """`[limits]`"""

    tiers: Path | None = None
    """The file with the table of tiers (`TierTable`)."""
    registration: Literal["required", "off"] = "required"
    """off: numbers that belong to no approved campaign may send."""
    burst_seconds: float = 0.05
    """Of a limit that was not used up, so many seconds' worth may leave at once, beside one segment."""
    countries: Path | None = None
    """The file with the rules of countries for source addresses (`CountryTable`)."""
    operators: Path | None = None
    """The file that says which numbers are T-Mobile's (`smppgw.operators`); None: each of the US may be."""


@dataclass(frozen=True, slots=True)
class InboundSettings:
    """`[inbound]`: receipts and messages of handsets on their way home."""

    default_esme: str = ""
    """system_id of the ESME that gets messages to numbers which are nobody's; empty: the only ESME there is, else
    nobody, and they are kept."""
    orphans_to: str = ""
    """system_id of the ESME that gets receipts which no message is found for, as they came, while less than max_kept
    waits for it; empty: nobody, and they are kept."""
    hold_receipts: float = 600.0
    """Seconds that a receipt is held for the response that tells its message."""
    hold_parts: float = 60.0
    """Seconds that the parts of a long message are held for the others; then they are passed on as they are."""
    max_held: int = 10_000
    """Receipts, and likewise parts, of one carrier that are held; the oldest make room."""
    max_kept: int = 100_000
    """Messages and receipts that belong to nobody and are kept for `retention_days`; above it such messages are
    refused, and such receipts counted and dropped."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """`[store]`"""

    backend: Literal["wal", "unsafe-memory"] = "wal"
    """unsafe-memory: what is not yet delivered is lost when the process ends."""
    retention_days: int = 7
    """Days that a finished message can still be looked up, and a receipt finds its message (for that, at least 4)."""
    checkpoint_seconds: float = 30.0
    """Seconds between two checkpoints of the log."""
    max_bytes: int = 10 * 1024**3
    """Octets that log and ledger take on the disk (unsafe-memory: of what is kept); above it ESME_RMSGQFUL."""
    segment_bytes: int = 64 * 1024**2
    """Octets of one file of the log; three or more are there at any time."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration, checked."""

    gateway: GatewaySettings
    listen: ListenSettings
    admin: AdminSettings
    esmes: tuple[EsmeSettings, ...] = field(metadata={"key": "esme"})
    carriers: tuple[CarrierSettings, ...] = field(metadata={"key": "carrier"})
    routes: tuple[RouteSettings, ...] = field(metadata={"key": "route"})
    brands: tuple[BrandSettings, ...] = field(metadata={"key": "brand"})
    campaigns: tuple[CampaignSettings, ...] = field(metadata={"key": "campaign"})
    numbers: tuple[NumberSettings, ...] = field(metadata={"key": "number"})
    pools: tuple[PoolSettings, ...] = field(metadata={"key": "pool"})
    limits: LimitsSettings
    inbound: InboundSettings
    store: StoreSettings
    tiers: TierTable | None = None
    """What `limits.tiers` says; None without such a file."""
    profiles: Mapping[str, ErrorProfile] | None = None
    """What the files say that `profile` of carriers names, by the carrier's name."""
    countries: CountryTable | None = None
    """What `limits.countries` says."""
    operators: Operators | None = None
    """What `limits.operators` says."""
