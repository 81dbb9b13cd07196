"""
The three ways to send: a code made by the platform, a code of your own, and a custom message.
Rules about addresses and texts are the server's; this only shapes the request.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, TypedDict, Union

from ..transport import Transport, given
from .send_options import Params


class SendResult(TypedDict, total=False):
    message_id: str
    #: Channel in use at this moment; a fallback may change it later.
    send_channel: str
    #: When the code expires (RFC 3339); only for codes made by the platform.
    expires_at: str
    #: One entry per recipient, in the order of the request, if `to` was a list.
    messages: List[Dict[str, Any]]


def send_otp(
    transport: Transport,
    to: str,
    template_id: str,
    params: Optional[Params],
    language: str,
    options: Dict[str, Any],
    idempotency_key: Optional[str],
) -> SendResult:
    """`POST /v1/messages`: the platform makes the code; check it with `verify`."""
    body = {"to": to, "template": _template(template_id, language, params), **options}
    return transport.request("POST", "/v1/messages", body=body, idempotency_key=idempotency_key)


def send_own_code(
    transport: Transport,
    to: str,
    code: str,
    template_id: str,
    params: Optional[Params],
    language: str,
    options: Dict[str, Any],
    idempotency_key: Optional[str],
) -> SendResult:
    """`POST /v1/codes`: you bring the code, and you check it."""
    body = {"to": to, "code": code, "template": _template(template_id, language, params), **options}
    return transport.request("POST", "/v1/codes", body=body, idempotency_key=idempotency_key, hidden=[code])


def send_custom_message(
    transport: Transport,
    to: Union[str, Sequence[str]],
    template_id: str,
    params: Optional[Params],
    language: Optional[str],
    options: Dict[str, Any],
    idempotency_key: Optional[str],
) -> SendResult:
    """`POST /v1/custom-messages`: one or up to 1000 recipients; a code, if the template has one, goes into `params`."""
    recipients = to if isinstance(to, str) else list(to)
    body = {"to": recipients, "template": _template(template_id, language, params), **options}
    hidden = [(params or {}).get("code")]
    return transport.request(
        "POST", "/v1/custom-messages", body=body, idempotency_key=idempotency_key, hidden=hidden
    )


def _template(template_id: str, language: Optional[str], params: Optional[Params]) -> Dict[str, Any]:
    return given({"id": template_id, "language": language, "params": dict(params or {})})
