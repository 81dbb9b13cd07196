"""
The order of work for one received callback: check who sent it, read the events, let the handler work, answer.
The answer decides whether the platform sends again: anything but 2xx repeats, so a failing handler must not give 200.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional

from ..errors import WebhookSignatureError
from .events import WebhookEvent

Handler = Callable[[List[WebhookEvent]], Any]
OnError = Callable[[Exception], Any]

#: Far above what the platform sends in one callback (100 rows).
LARGEST_BODY_BYTES = 1024 * 1024

_log = logging.getLogger("engagelab_otp")


class Answer(NamedTuple):
    status: int
    text: str = ""


class Checks(NamedTuple):
    verify: Callable[[Any, bytes], None]
    parse: Callable[[bytes], List[WebhookEvent]]


def receive(
    checks: Checks, headers: Any, raw_body: bytes, handler: Handler, ack_on_error: bool, on_error: Optional[OnError]
) -> Answer:
    """What to answer. Raises nothing: a framework would turn that into a page of its own."""
    if len(raw_body) > LARGEST_BODY_BYTES:
        return Answer(413, "the body is too large")
    try:
        checks.verify(headers, raw_body)
        events = checks.parse(raw_body)
    except WebhookSignatureError as error:
        return Answer(401, str(error))
    except ValueError as error:
        return Answer(400, str(error))
    try:
        # Not called for a probe: there is nothing to handle.
        if events:
            handler(events)
        return Answer(200)
    except Exception as error:
        _report(error, on_error)
        return Answer(200 if ack_on_error else 500)


def _report(error: Exception, on_error: Optional[OnError]) -> None:
    """A reporter that fails itself must not cost the answer."""
    if on_error is None:
        _log.error("the handler of a callback failed", exc_info=error)
        return
    try:
        on_error(error)
    except Exception as fault:
        _log.error("the reporter of a callback failed", exc_info=fault)


def flask_view(answer_to: Callable[[Any, bytes], Answer]) -> Callable[[], Any]:
    """A view function; Flask is imported only when a request comes."""

    def otp_callbacks() -> Any:
        from flask import Response, request

        # Cached, so that what was signed is read whatever ran before; a larger one is refused before it is read.
        too_large = (request.content_length or 0) > LARGEST_BODY_BYTES
        status, text = Answer(413, "the body is too large") if too_large else answer_to(
            request.headers, request.get_data(cache=True)
        )
        return Response(text, status=status, mimetype="text/plain")

    return otp_callbacks


def wsgi_app(answer_to: Callable[[Any, bytes], Answer]) -> Callable[[Dict[str, Any], Any], Iterable[bytes]]:
    """A WSGI application for the standard library's wsgiref, gunicorn and others."""

    def application(environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, text = _answer_environ(environ, answer_to)
        content = text.encode("utf-8")
        start_response(
            f"{status} {'OK' if status == 200 else 'Refused'}",
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))],
        )
        return [content]

    return application


def _answer_environ(environ: Dict[str, Any], answer_to: Callable[[Any, bytes], Answer]) -> Answer:
    if environ.get("REQUEST_METHOD") != "POST":
        return Answer(405, "callbacks are posted")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit():
        return Answer(400, "the length is not a number")
    if int(length) > LARGEST_BODY_BYTES:
        return Answer(413, "the body is too large")
    body = environ["wsgi.input"].read(int(length))
    headers = {
        name[len("HTTP_") :].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return answer_to(headers, body)
