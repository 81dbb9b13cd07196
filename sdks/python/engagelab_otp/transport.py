"""
The one place where a request leaves: credentials, encoding, retries, and turning answers into values or errors.
All resources go through `Transport.request`; nothing here knows a resource.
"""

from __future__ import annotations

import errno
import json
import re
import secrets
import socket
from datetime import datetime, timezone
from http.client import HTTPException
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import quote, urlencode, urlsplit

from .errors import EngagelabError, error_from_reply, invalid_reply, network_error
from .retry import pause_before_retry
from .settings import Settings
from .version import VERSION
from .wire import WireReply, WireRequest


class Transport:
    __slots__ = ("_settings",)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        idempotency_key: Optional[str] = None,
        extra_seconds: float = 0,
        hidden: Sequence[Optional[str]] = (),
    ) -> Any:
        """
        Does the call, repeating it as the settings allow, and returns the parsed body. Raises EngagelabError.
        `extra_seconds` is added to the time limit, for answers that the server holds back on purpose;
        `hidden` are values of this call that must not appear in an error: codes and secrets in the body.
        """
        settings = self._settings
        # Encoded once: every try carries the same bytes and the same Idempotency-Key.
        request = self._encode(method, path, query, body, idempotency_key)
        private = [*settings.hidden, *(value for value in hidden if isinstance(value, str))]
        tries = 1
        while True:
            reply, error = _try_once(request, settings, settings.timeout_seconds + extra_seconds, private)
            if error is None:
                return reply
            pause = None if tries > settings.max_retries else pause_before_retry(error, tries, settings.random)
            if pause is None:
                raise error
            settings.sleep(pause)
            tries += 1

    def pause(self, seconds: float) -> None:
        """Waits the way retries do."""
        self._settings.sleep(seconds)

    def __repr__(self) -> str:
        return f"<Transport to {self._settings.base_url}>"

    def _encode(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]],
        body: Optional[Mapping[str, Any]],
        idempotency_key: Optional[str],
    ) -> WireRequest:
        settings = self._settings
        headers = {
            "Authorization": settings.authorization,
            "Accept": "application/json",
            "User-Agent": f"engagelab-otp-python/{VERSION}",
        }
        content: Optional[bytes] = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
            headers["Content-Type"] = "application/json"
        key = idempotency_key
        if key is None and method == "POST" and settings.max_retries > 0:
            key = secrets.token_hex(16)
        if key is not None:
            headers["Idempotency-Key"] = _check_key(key)
        return WireRequest(method, settings.base_url + path + _query_string(query or {}), headers, content)


def given(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Without what was not given: None never goes onto the wire as null."""
    return {name: value for name, value in fields.items() if value is not None}


def segment(id: str) -> str:
    """One segment of a path. Refuses what would address another endpoint, such as an empty id."""
    if isinstance(id, str) and id not in ("", ".", ".."):
        return quote(id, safe="!~*'()")
    raise TypeError("an id must be a non-empty string")


def _try_once(
    request: WireRequest, settings: Settings, timeout_seconds: float, hidden: Sequence[str]
) -> Tuple[Any, Optional[EngagelabError]]:
    # Errors are values here, so that what is raised has no cause or context that holds the request with its headers.
    try:
        reply = settings.wire(request, timeout_seconds)
    except (OSError, HTTPException) as fault:
        return None, _as_network_error(fault, settings.base_url, timeout_seconds)
    if not 200 <= reply.status <= 299:
        return None, error_from_reply(reply, hidden)
    return _parse_body(reply)


def _parse_body(reply: WireReply) -> Tuple[Any, Optional[EngagelabError]]:
    try:
        return json.loads(reply.body), None
    except ValueError:
        return None, invalid_reply(reply)


def _as_network_error(fault: BaseException, base_url: str, timeout_seconds: float) -> EngagelabError:
    url = urlsplit(base_url)
    origin = f"{url.scheme}://{url.netloc}"
    if isinstance(fault, (TimeoutError, socket.timeout)):
        return network_error("timeout", f"{origin}: no answer within {round(timeout_seconds * 1000)} ms")
    number = getattr(fault, "errno", None)
    name = errno.errorcode.get(number) if isinstance(number, int) else None
    return network_error("network", f"no answer from {origin}{f' ({name})' if name else ''}")


def _query_string(query: Mapping[str, Any]) -> str:
    pairs: List[Tuple[str, str]] = [(name, _query_value(value)) for name, value in query.items() if value is not None]
    return f"?{urlencode(pairs)}" if pairs else ""


def _query_value(value: Any) -> str:
    if isinstance(value, datetime):
        # A time without a zone is meant in the zone of this machine, as everywhere in datetime.
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _check_key(key: str) -> str:
    if isinstance(key, str) and re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        return key
    raise TypeError("idempotency_key must be 1 to 255 printable ASCII characters")
