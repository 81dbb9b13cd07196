"""
Every error this package raises on purpose, and the one table that says what an API code means to a caller.
An EngagelabError never carries credentials, one-time codes or the underlying request: it is safe to log as it is.
"""

from __future__ import annotations

import json
import math
import time
from email.utils import parsedate_to_datetime
from typing import Any, Dict, Optional, Sequence, Tuple

from .redact import redactor
from .wire import WireReply

_CATEGORIES: Dict[int, str] = {
    1000: "transient",
    2001: "auth",
    2002: "auth",
    2004: "auth",
    3001: "bad_request",
    3002: "bad_request",
    3003: "expired",
    3004: "rate_limited",
    4001: "template_not_found",
    5001: "transient",
    5011: "invalid_recipient",
    5012: "unreachable",
    5013: "blocked",
    5014: "content_blocked",
    5015: "content_blocked",
    5016: "transient",
    5018: "unreachable",
    5019: "blocked",
    5020: "invalid_recipient",
}

_RETRYABLE_CODES = (1000, 5001, 5016)


class EngagelabError(Exception):
    """A request that was refused, failed, or got no answer. Branch on `code` or `category`; repeat only if `retryable`."""

    def __init__(
        self,
        message: str,
        *,
        code: int,
        http_status: int,
        retryable: bool,
        category: str,
        request_id: Optional[str] = None,
        reason: Optional[str] = None,
        details: Optional[Dict[str, Any]] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: API code; 0 when the answer carried none: no answer at all, or one that is not the platform's.
        self.code = code
        self.retryable = retryable
        #: HTTP status; 0 when there was no answer.
        self.http_status = http_status
        self.category = category
        self.request_id = request_id
        #: Stable slug that is finer than `code`, such as `already_verified`.
        self.reason = reason
        self.details = details
        #: Seconds after which a repetition can succeed.
        self.retry_after = retry_after

    def __reduce__(self) -> Tuple[Any, ...]:
        # Task queues send exceptions between processes; keyword-only arguments need telling.
        return (_rebuilt, (dict(self.__dict__),))


def _rebuilt(fields: Dict[str, Any]) -> EngagelabError:
    return EngagelabError(**fields)


class WebhookSignatureError(Exception):
    """A callback that was not signed with the configured secret: answer 401 and look at nothing in it."""


def network_error(reason: str, message: str) -> EngagelabError:
    """No answer arrived: the request may or may not have been carried out, so it is retryable with an idempotency key."""
    return EngagelabError(message, code=0, http_status=0, retryable=True, category="transient", reason=reason)


def error_from_reply(reply: WireReply, hidden: Sequence[str]) -> EngagelabError:
    """The error that an answer other than success stands for. `hidden` values are removed from all of its texts."""
    body = redactor(hidden)(_json_object(reply.body))
    given = body.get("code")
    code = given if isinstance(given, int) and not isinstance(given, bool) else 0
    retryable = reply.status == 429 or reply.status >= 500 or code in _RETRYABLE_CODES
    found = body.get("details")
    details = found if isinstance(found, dict) else None
    waits = (_retry_after_seconds(reply.header("retry-after")), _seconds((details or {}).get("retry_after")))
    return EngagelabError(
        _text(body.get("message")) or f"HTTP {reply.status} without an error description",
        code=code,
        http_status=reply.status,
        retryable=retryable,
        category="transient" if code == 0 and retryable else _CATEGORIES.get(code, "unknown"),
        request_id=_text(body.get("request_id")) or reply.header("x-request-id"),
        reason=_text(body.get("reason")),
        details=details,
        retry_after=next((wait for wait in waits if wait is not None), None),
    )


def invalid_reply(reply: WireReply) -> EngagelabError:
    """A 2xx answer that is not JSON: some other server answered, and what became of the request is not known."""
    return EngagelabError(
        f"HTTP {reply.status} with a body that is not JSON: is the base URL that of the platform?",
        code=0,
        http_status=reply.status,
        retryable=False,
        category="unknown",
        request_id=reply.header("x-request-id"),
        reason="invalid_reply",
    )


def _retry_after_seconds(header: Optional[str]) -> Optional[float]:
    text = (header or "").strip()
    if text == "":
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return max(0, math.ceil(parsedate_to_datetime(text).timestamp() - time.time()))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _seconds(value: Any) -> Optional[float]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) and value >= 0 else None


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and value != "" else None


def _json_object(body: str) -> Dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
