"""
Receiving callbacks: check the signature, read the events, or let a view do both.
Printing a verifier shows none of its secrets.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Union

from .events import WebhookEvent, read_row
from .receiving import Answer, Checks, Handler, OnError, flask_view, receive, wsgi_app
from .signature import check_callback_id, check_standard, read_header, signing_key
from .standard import read_standard


class WebhookVerifier:
    """
    `secrets` and `signing_secrets` are more that count, such as the next one while it is being rotated.
    What is not given comes from ENGAGELAB_WEBHOOK_USERNAME, ENGAGELAB_WEBHOOK_SECRET and
    ENGAGELAB_WEBHOOK_SIGNING_SECRET (several separated by blanks). `tolerance_seconds` is how old or early a callback
    may be; no limit by default.
    """

    def __init__(
        self,
        *,
        username: Optional[str] = None,
        secret: Optional[str] = None,
        secrets: Sequence[str] = (),
        signing_secret: Optional[str] = None,
        signing_secrets: Sequence[str] = (),
        tolerance_seconds: Optional[float] = None,
    ) -> None:
        name = os.environ.get("ENGAGELAB_WEBHOOK_USERNAME") if username is None else username
        first = os.environ.get("ENGAGELAB_WEBHOOK_SECRET") if secret is None else secret
        self._username = name or ""
        self._secrets = [one for one in (first, *secrets) if one]
        self._keys = [signing_key(one) for one in _signing_secrets(signing_secret, signing_secrets)]
        self._tolerance_seconds = tolerance_seconds
        whole = self._username != "" and len(self._secrets) > 0
        only_keys = self._username == "" and not self._secrets and len(self._keys) > 0
        if not whole and not only_keys:
            raise TypeError(
                "WebhookVerifier: username and secret are needed. Pass username= and secret= "
                "or set ENGAGELAB_WEBHOOK_USERNAME and ENGAGELAB_WEBHOOK_SECRET."
            )

    def verify(self, x_callback_id_header: Optional[str]) -> None:
        """Checks the value of the X-CALLBACK-ID header; raises WebhookSignatureError."""
        if self._username == "":
            raise TypeError("WebhookVerifier: verify needs a username and a secret")
        check_callback_id(x_callback_id_header, self._username, self._secrets, self._tolerance_seconds)

    def verify_standard(self, headers: Any, raw_body: Union[str, bytes]) -> None:
        """Checks the Standard Webhooks signature, which covers the body as it came; raises WebhookSignatureError."""
        if not self._keys:
            raise TypeError("WebhookVerifier: verify_standard needs a signing_secret")
        body = raw_body.encode("utf-8") if isinstance(raw_body, str) else bytes(raw_body)
        check_standard(headers, body, self._keys, self._tolerance_seconds)

    def parse_events(self, body: Any) -> List[WebhookEvent]:
        """
        The events of a callback: its text, its bytes, or the object parsed from them. A probe (`{}` or nothing) gives [].
        An endpoint of format `standard` sends one event, which becomes the same class as its row would.
        Raises a ValueError for text that is not JSON. Checks no signature.
        """
        envelope = _parse_json(body) if isinstance(body, (str, bytes, bytearray)) else body
        if not isinstance(envelope, dict):
            return []
        rows = envelope.get("rows")
        events = [read_row(row) for row in rows] if isinstance(rows, list) else [read_standard(envelope)]
        return [event for event in events if event is not None]

    def receive(
        self,
        headers: Any,
        raw_body: Union[str, bytes],
        handler: Handler,
        *,
        ack_on_error: bool = False,
        on_error: Optional[OnError] = None,
    ) -> Answer:
        """
        For any framework: what to answer to a callback, as `(status, text)`. 401 to a bad signature, 200 to a probe and
        after `handler` has finished, 500 if it fails, so that the callback comes again (200 with `ack_on_error`).
        """
        body = raw_body.encode("utf-8") if isinstance(raw_body, str) else bytes(raw_body)
        return receive(Checks(self._check, self.parse_events), headers, body, handler, ack_on_error, on_error)

    def flask_view(self, handler: Handler, **options: Any) -> Callable[[], Any]:
        """A view for `app.add_url_rule("/otp-callbacks", view_func=…, methods=["POST"])`; answers as `receive` does."""
        return flask_view(lambda headers, body: self.receive(headers, body, handler, **options))

    def wsgi_app(self, handler: Handler, **options: Any) -> Callable[[Dict[str, Any], Any], Iterable[bytes]]:
        """A WSGI application of its own; answers as `receive` does."""
        return wsgi_app(lambda headers, body: self.receive(headers, body, handler, **options))

    def _check(self, headers: Any, raw_body: bytes) -> None:
        if self._username != "":
            self.verify(read_header(headers, "x-callback-id"))
        if self._keys:
            self.verify_standard(headers, raw_body)

    def __repr__(self) -> str:
        return f"WebhookVerifier(username={self._username!r})"


def _signing_secrets(one: Optional[str], more: Sequence[str]) -> List[str]:
    """The variable counts only where nothing is given: a list in code is meant to be whole."""
    given = [secret for secret in (one, *more) if secret]
    return given or os.environ.get("ENGAGELAB_WEBHOOK_SIGNING_SECRET", "").split()


def _parse_json(body: Union[str, bytes, bytearray]) -> Any:
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8")
        return None if text.strip() == "" else json.loads(text)
    except ValueError:
        # The parser's own message would quote the body.
        raise ValueError("the callback body is not JSON") from None
