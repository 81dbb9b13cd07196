"""What happened to everything that was sent: delivery, completion, latency and cost in a span of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Mapping, TypedDict, Union

from ..transport import Transport

#: A datetime, RFC 3339 text or unix seconds.
Moment = Union[datetime, str, int]


class Insights(TypedDict):
    """Blocks in `totals` and `rows` hold counts, rates, latencies and cost; rows add their `key`."""

    # `from`, which is no name in Python, stands here too: insights["from"].
    until: str
    #: What happened before it is counted.
    computed_until: str
    #: ISO 4217.
    currency: str
    totals: Dict[str, Any]
    rows: List[Dict[str, Any]]


def read_insights(transport: Transport, query: Mapping[str, Any]) -> Insights:
    """`GET /v1/insights`: 24 hours unless told, at most 92 days."""
    return transport.request("GET", "/v1/insights", query=query)
