"""What an ESME with `over_limit = "reject"` is promised: that a message could leave now, by all the limits it has."""

from __future__ import annotations

from smppgw.throttle.limit import Kind, Limit
from smppgw.throttle.limits import Terms


def promise(terms: Terms, segments: int, day_segments: int, now_ns: int) -> Kind | None:
    """Promise a message so many segments, or return the limit that does not have them; then nothing is promised."""
    before: list[tuple[Limit, int]] = []
    refused: Kind | None = None
    for limit in (terms.number, terms.campaign):
        if limit is None:
            continue
        before.append((limit, limit.promised_ns))
        if not limit.promise(segments, now_ns):
            refused = limit.kind
            break
    else:
        if terms.cap is not None and day_segments and not terms.cap.promise(day_segments):
            refused = "brand_day"
    if refused is not None:
        for limit, promised_ns in before:
            limit.promised_ns = promised_ns
    return refused
