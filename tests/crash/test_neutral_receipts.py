"""Every receipt finds its message, whatever the carrier's ids look like: shown by a load and a sink of others."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from smppgw.settings import MessageIdFormat
from tests.cli.processes import started
from tests.crash.gateways import Gateways, lasting_port
from tests.crash.owing import ID_FORMS, IdForm
from tests.event_loop import run_test
from tests.support import until

COUNT: Final = 2_000
"""Messages of a case, unless `--receipts` says otherwise."""
CONFIGURED: Final[dict[IdForm, MessageIdFormat]] = {
    "hex": "hex",
    "dec": "dec",
    "uuid": "text",
    "hex-dec": "hex-dec",
    "dec-hex": "dec-hex",
}
"""The setting for each way in which smppsink writes its ids."""
BINDS: Final = 4
WINDOW: Final = 100
MIXED: Final = {"DELIVRD": 0.90, "UNDELIV": 0.05, "EXPIRED": 0.03, "REJECTD": 0.02}
"""The shares of `--dlr mixed`, as smppsink tells; and by how much they may be off, in a few messages."""
OFF: Final = 0.03


class _Between(Gateways):
    """A gateway between the load and the sink."""

    def __init__(self, folder: Path, seed: int, message_id: MessageIdFormat) -> None:
        super().__init__(folder, seed)
        self.sink_port = lasting_port(self.rng)
        self.message_id = message_id

    def tables(self) -> str:
        """See `Gateways.tables`."""
        return f"""
            [[esme]]
            system_id = "demo"
            password = "demo"
            window = {WINDOW}
            max_queued = 1000000
            [[carrier]]
            name = "sink"
            host = "127.0.0.1"
            port = {self.sink_port}
            system_id = "gateway"
            password = "gateway"
            binds = {BINDS}
            window = {WINDOW}
            message_id = "{self.message_id}"
            reconnect_min = 0.05
            [limits]
            registration = "off"
            """


@pytest.fixture
def count(receipts: int | None) -> int:
    """How many messages there are."""
    return receipts or COUNT


@pytest.mark.parametrize("tlvs", [True, False], ids=["tlvs", "no-tlvs"])
@pytest.mark.parametrize("delay_ms", [0, 5, 500])
@pytest.mark.parametrize("ids", ID_FORMS)
def test_every_receipt_finds_its_message_when_the_form_of_ids_is_learnt(
    ids: IdForm, delay_ms: int, tlvs: bool, tools: Path, tmp_path: Path, count: int, seed: int
) -> None:
    gateway = _Between(tmp_path, seed, "auto")
    _hold(gateway, tools, count, ids=ids, delay_ms=delay_ms, tlvs=tlvs)


@pytest.mark.parametrize("tlvs", [True, False], ids=["tlvs", "no-tlvs"])
@pytest.mark.parametrize("ids", ID_FORMS)
def test_every_receipt_finds_its_message_when_the_form_of_ids_is_configured(
    ids: IdForm, tlvs: bool, tools: Path, tmp_path: Path, count: int, seed: int
) -> None:
    gateway = _Between(tmp_path, seed, CONFIGURED[ids])
    _hold(gateway, tools, count, ids=ids, delay_ms=5, tlvs=tlvs)


@pytest.mark.parametrize("delay_ms", [0, 500])
@pytest.mark.parametrize("ids", ID_FORMS)
def test_every_receipt_finds_its_message_when_the_carrier_counts_from_1(
    ids: IdForm, delay_ms: int, tools: Path, tmp_path: Path, count: int, seed: int
) -> None:
    gateway = _Between(tmp_path, seed, "auto")
    _hold(gateway, tools, count, ids=ids, delay_ms=delay_ms, tlvs=False, first_id=1)


def _hold(
    gateway: _Between,
    tools: Path,
    count: int,
    *,
    ids: IdForm,
    delay_ms: int,
    tlvs: bool,
    first_id: int | None = None,
) -> None:
    """Send messages through, and hold all three to what they must say."""
    sink = [str(tools / "smppsink"), "--port", str(gateway.sink_port), "--dlr", "mixed"]
    sink += ["--message-id-format", ids, "--dlr-delay-ms", str(delay_ms)]
    sink += [] if tlvs else ["--no-dlr-tlv"]
    sink += [] if first_id is None else ["--id-start", str(first_id)]
    load = [
        str(tools / "smppblast"),
        "--port",
        str(gateway.port),
        "--system-id",
        "demo",
        "--password",
        "demo",
    ]
    load += ["--binds", str(BINDS), "--window", str(WINDOW), "--count", str(count), "--json"]
    load += ["--registered-delivery", "1", "--wait-dlr", "60", "--src", "1206555%04u:0-9"]

    async def test() -> tuple[dict[str, Any], dict[str, Any], dict[str, float]]:
        with started(*sink) as smppsink:
            await gateway.start()
            try:
                await until(lambda: len(gateway.lines("carrier_bound")) == BINDS)
                blast = await asyncio.create_subprocess_exec(*load, stdout=subprocess.PIPE)
                sent, _ = await blast.communicate()
                metrics = await gateway.metrics()
                await gateway.stop()
            finally:
                await gateway.end()
            smppsink.send_signal(signal.SIGTERM)
            taken, _ = smppsink.communicate()
        return json.loads(sent), json.loads(taken), metrics

    sent, taken, metrics = run_test(test(), seconds=120 + count / 1000)
    came = sent["receipts"]
    orphaned = metrics.get("smppgw_receipts_orphaned_total", 0)
    repeated = metrics.get("smppgw_receipts_repeated_total", 0)
    print(
        f"{ids:8}{gateway.message_id:8}{'' if first_id is None else 'from 1':8}{delay_ms:3} ms "
        f"{'tlvs' if tlvs else 'text'}: {count / came['last_at_s']:6.0f} messages/s, "
        f"p99 {came['latency_ms']['p99']:6.1f} ms, matched {came['matched']}, duplicate {came['duplicate']}, "
        f"unknown {came['unknown']}, missing {came['missing']}, orphaned {orphaned:.0f}, repeated {repeated:.0f}, "
        f"{metrics['process_cpu_seconds_total'] / count * 1e6:.1f} us of CPU a message"
    )
    assert (sent["ok"], sent["protocol_errors"], sent["generic_nack"]) == (count, 0, 0), sent
    assert (came["received"], came["matched"]) == (count, count), sent
    assert {came[name] for name in ("duplicate", "unknown", "without_id", "missing")} == {0}, sent
    assert all(abs(came["states"][state] / count - share) < OFF for state, share in MIXED.items()), sent
    assert (taken["unique"], taken["duplicates"], taken["bad_pdu"], taken["nacked"]) == (count, 0, 0, 0), (
        taken
    )
    assert (taken["dlr"]["acked"], taken["dlr"]["refused"]) == (count, 0), taken
    assert (metrics["smppgw_receipts_total"], orphaned, repeated) == (count, 0, 0)
