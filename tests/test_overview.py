"""What operators see of a running gateway."""

from __future__ import annotations

from smppgw import Smsc
from smppgw.library.bound import LATER, BoundEsme, Later
from smppgw.pdu._generated import SubmitSm
from tests.peers import client, submit_sm
from tests.support import a_carrier, an_esme, running, settings_of, until


async def test_status_shows_binds_queues_and_lanes() -> None:
    unanswered: list[tuple[BoundEsme, SubmitSm]] = []
    looked = False

    def answer(esme: BoundEsme, pdu: SubmitSm) -> str | Later:
        if looked:
            return "at once"
        unanswered.append((esme, pdu))
        return LATER

    async with Smsc(port=0, on_submit=answer) as smsc:
        settings = settings_of(an_esme(), carriers=(a_carrier(smsc.port, window=2),))
        async with running(settings) as gateway, client(gateway.server.port) as esme:
            for number in range(5):
                await esme.request(submit_sm(number, priority_flag=1))
            await until(lambda: gateway.dispatch.in_flight == 2)
            status = gateway.status()
            assert status["ready"] is True
            assert status["lanes"] == {"otp": 0, "transactional": 3, "promotional": 0}
            assert status["esmes"]["app"]["binds"] == {"tx": 0, "rx": 0, "trx": 1}
            assert status["esmes"]["app"]["queued"] == 5
            assert status["carriers"]["carrier"]["up"] is True
            assert status["carriers"]["carrier"]["in_flight"] == 2
            assert status["store"]["octets"] > 0
            metrics = gateway.metrics.render().decode()
            for line in (
                'smppgw_messages_accepted_total{esme="app"} 5.0',
                'smppgw_queue_messages{lane="transactional"} 3.0',
                'smppgw_esme_sessions{esme="app",mode="trx"} 1.0',
                'smppgw_carrier_sessions{carrier="carrier",mode="trx"} 1.0',
                'smppgw_window_in_use{peer="carrier",side="carrier"} 2.0',
                "smppgw_accept_duration_seconds_count 5.0",
                "smppgw_store_healthy 1.0",
            ):
                assert line in metrics, line
            assert "smppgw_queue_oldest_message_age_seconds" in metrics
            looked = True
            for bound, pdu in unanswered:
                bound.answer(pdu, "at last")
            await until(lambda: not gateway.store.queued("app"))
