"""Checking the code that a person typed. Only for codes made by the platform."""

from __future__ import annotations

from typing import Optional, TypedDict

from ..transport import Transport, given
from .send_options import Signals


class _Answered(TypedDict):
    message_id: str
    verify_code: str
    #: The only field to decide on: a wrong code is an answer, not an error.
    verified: bool


class VerifyResult(_Answered, total=False):
    to: str
    purpose: str
    #: After a wrong code: how many wrong codes are still allowed.
    attempts_remaining: int


def check_code(
    transport: Transport, message_id: str, code: str, purpose: Optional[str], signals: Optional[Signals]
) -> VerifyResult:
    """`POST /v1/verifications`. Raises EngagelabError 3003 when the code is expired, used or locked."""
    body = given({"message_id": message_id, "verify_code": code, "purpose": purpose, "signals": signals})
    return transport.request("POST", "/v1/verifications", body=body, hidden=[code])
