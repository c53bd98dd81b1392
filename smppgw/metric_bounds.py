"""The buckets of histograms: their upper bounds, chosen by what is being measured."""

from __future__ import annotations

from typing import Final

COMMIT_SECONDS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    1.0,
    2.5,
    10.0,
)
"""A sync takes 0.1 ms on the best disks, some milliseconds on a cloud's; 1 s is a warning, 10 s stops reading."""

COMMIT_RECORDS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)

QUICK_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""For what this machine decides: half a millisecond is one fast sync, 10 s is a stall that an enquire_link
would notice; three steps to a decade tell a p99 within a factor of 2.5."""

RESPONSE_SECONDS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)
"""For a carrier's answers: from a loopback SMSC to the usual response timers of 30 and 60 s."""

DELIVERY_SECONDS: Final = (
    0.1,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    900.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
    259_200.0,
)
"""From accepted to the final receipt: a handset that is on answers in seconds, one that is off within its
validity, commonly up to 72 hours."""

WAIT_SECONDS: Final = (
    0.001,
    0.01,
    0.1,
    0.5,
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    900.0,
    3_600.0,
    14_400.0,
    43_200.0,
    86_400.0,
)
"""A full window holds back for milliseconds, a rate for as long as the backlog is, a day's cap for up to a day."""
