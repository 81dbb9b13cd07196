"""
The virtual phones: where callbacks of the sandbox go, what the handsets received, and waiting for a code in a test.
Works only with sandbox credentials or an application on the virtual network.
"""

from __future__ import annotations

import math
import re
import time
from typing import Any, Dict, Mapping, Optional

from ..errors import network_error
from ..transport import Transport

#: The server holds an answer back for at most this long.
_LONGEST_POLL_SECONDS = 30
_POLL_PAUSE_SECONDS = 0.25


class Sandbox:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def set_webhook(self, body: Mapping[str, Any]) -> Dict[str, Any]:
        """
        Sets where callbacks go: `url` (None removes it), `username`, `secret`, `authorization`.
        A failing probe still saves, with `reachable: False`.
        """
        hidden = [body.get("secret"), body.get("authorization")]
        return self._transport.request("PUT", "/v1/sandbox/webhook", body=body, hidden=hidden)

    def messages(
        self, to: str, *, wait: Optional[int] = None, after: Optional[str] = None, limit: Optional[int] = None
    ) -> Dict[str, Any]:
        """What reached the handset of `to`, newest first; with `wait` (0 to 30 s) held until something newer than `after` does."""
        query = {"to": to, "wait": wait, "after": after, "limit": limit}
        return self._transport.request("GET", "/v1/sandbox/messages", query=query, extra_seconds=wait or 0)

    def wait_for_code(self, to: str, *, timeout_ms: int = 30_000, message_id: Optional[str] = None) -> str:
        """
        The newest code on the handset of `to`; waits for one up to `timeout_ms`, then raises EngagelabError 0.
        Name the `message_id` of your send where an earlier test may have left a code on the same handset.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        after = None if message_id is None else _just_before(message_id)
        while True:
            left = max(0.0, deadline - time.monotonic())
            wait = min(_LONGEST_POLL_SECONDS, math.ceil(left))
            messages = self.messages(to, wait=wait, after=after)["messages"]
            for message in messages:
                if message.get("code") is not None and message_id in (None, message["message_id"]):
                    return message["code"]
            if time.monotonic() >= deadline:
                raise network_error("timeout", f"no code on the sandbox handset within {timeout_ms} ms")
            # Other texts on the handset make the server answer at once: do not ask again in the same breath.
            if messages:
                self._transport.pause(_POLL_PAUSE_SECONDS)


def _just_before(message_id: str) -> Optional[str]:
    """Ids are numbers in time order and `after` excludes its own id: one less includes the message itself."""
    return str(int(message_id) - 1) if re.fullmatch(r"[1-9][0-9]*", message_id) else None
