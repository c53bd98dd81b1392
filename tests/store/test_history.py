from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from smppgw.store import history, record
from smppgw.store.entries import Message, Outcome, Standing
from smppgw.store.record import MS, What
from tests.store.test_contract import DELIVERED, EXPIRED, UNDELIVERABLE, message
from tests.store.test_record import EPOCH_NS, keys, moments, names, octets

outcomes = st.builds(Outcome, st.integers(0, 9), st.sampled_from(["delivered", "cap"]), st.text(max_size=3))
rows = st.lists(
    st.tuples(keys, names, octets, outcomes, moments, st.integers(1, 255)), min_size=1, max_size=5
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rows, names)
def test_what_became_of_messages_is_read_as_it_was_written(
    rows: list[tuple[int, str, bytes, Outcome, int, int]], carrier: str
) -> None:
    all_keys, esmes, ids, ended_as, accepted, parts = (list(column) for column in zip(*rows, strict=True))
    messages = [
        Message(key, b"", esme, "", 4, b"", 1, accepted_ns, parts=of)
        for key, esme, _, _, accepted_ns, of in rows
    ]
    accepted_ms = [(ns + EPOCH_NS) // MS if ns else 0 for ns in accepted]
    submitted = history.of_submitted(carrier, 17, messages, esmes, ids, EPOCH_NS)
    assert history.submitted_of(submitted) == (17, all_keys, esmes, accepted_ms, parts, carrier, ids)
    finished = history.of_finished(carrier, 18, all_keys, esmes, ids, ended_as)
    assert history.finished_of(finished) == (18, all_keys, esmes, carrier, ended_as, ids)
    ended = history.of_ended(19, messages, esmes, ended_as, EPOCH_NS)
    assert history.ended_of(ended) == (19, all_keys, esmes, accepted_ms, parts, ended_as)
    for written, what in ((submitted, What.SUBMITTED), (finished, What.FINISHED), (ended, What.ENDED)):
        assert record.what(written) is what
        assert history.keys_of(written) == all_keys


def test_an_outcome_that_all_share_is_written_once() -> None:
    some, many = (
        len(
            history.of_finished(
                "sink", 1, list(range(count)), ["acme"] * count, [b""] * count, [DELIVERED] * count
            )
        )
        for count in (100, 200)
    )
    assert many - some == 100 * 8, "the keys alone"


def test_the_newest_word_on_a_message_counts() -> None:
    one, two = message(1), message(2)
    submitted = history.of_submitted("sink", 5, [one, two], ["acme", "bolt"], [b"x", b"y"], 0)
    finished = history.of_finished("sink", 7, [2, 1], ["bolt", "acme"], [b"y", b"x"], [EXPIRED, DELIVERED])
    ended = history.of_ended(9, [two, message(3)], ["bolt", "acme"], [UNDELIVERABLE, EXPIRED], 0)
    assert history.ended_as([], 1, 0) is None
    assert history.ended_as([submitted], 1, 0) == Standing("acme", None, 0, None)
    assert history.ended_as([submitted, finished], 1, 0) == Standing("acme", DELIVERED, 7 * MS, None)
    assert history.ended_as([submitted, finished, ended], 2, 4) == Standing(
        "bolt", UNDELIVERABLE, 9 * MS - 4, None
    )
    assert history.ended_as([ended], 3, 0) == Standing("acme", EXPIRED, 9 * MS, None)
    assert history.ended_as([submitted, finished, ended], 4, 0) is None
