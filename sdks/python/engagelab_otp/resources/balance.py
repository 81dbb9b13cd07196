"""How much the application can still spend."""

from __future__ import annotations

from typing import TypedDict

from ..transport import Transport


class Balance(TypedDict):
    balance: float
    #: Held for messages under way.
    reserved: float
    threshold: float
    currency: str
    #: `prepaid` or `unlimited`.
    mode: str


def read_balance(transport: Transport) -> Balance:
    """`GET /v1/balance`."""
    return transport.request("GET", "/v1/balance")
