"""What became of a message, and the few things that can still be done with it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, TypedDict

from ..transport import Transport, given, segment
from .insights import Moment
from .sending import SendResult


class Message(TypedDict, total=False):
    message_id: str
    #: `otp`, `code` or `custom`.
    kind: str
    to: str
    template_id: str
    language: str
    country: Optional[str]
    purpose: Optional[str]
    state: str
    send_channel: str
    created_at: str
    expires_at: Optional[str]
    cost: Dict[str, Any]
    custom_args: Dict[str, str]
    #: None unless the platform made the code.
    verification: Optional[Dict[str, Any]]
    steps: List[Dict[str, Any]]
    #: Every call to a provider.
    attempts: List[Dict[str, Any]]
    #: `cause` and `next_step`, in plain words.
    explanation: Dict[str, str]
    #: What was asked before it was accepted: limits, fraud rules, budgets, hook.
    decision: Dict[str, Any]
    #: What happened, in order, each with one plain sentence in `text`.
    timeline: List[Dict[str, Any]]


class MessagePage(TypedDict):
    messages: List[Dict[str, Any]]
    #: For the next page; None at the end.
    next_cursor: Optional[str]


class ResendResult(SendResult, total=False):
    attempt: int


class Messages:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, id: str) -> Message:
        """One message with its steps and its timeline."""
        return self._transport.request("GET", _path_of(id))

    def list(
        self,
        *,
        to: Optional[str] = None,
        template: Optional[str] = None,
        status: Optional[str] = None,
        channel: Optional[str] = None,
        country: Optional[str] = None,
        from_: Optional[Moment] = None,
        until: Optional[Moment] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> MessagePage:
        """Newest first, a page at a time. `status` is a message state or a verification state."""
        query = {
            "to": to,
            "template": template,
            "status": status,
            "channel": channel,
            "country": country,
            "from": from_,
            "until": until,
            "limit": limit,
            "cursor": cursor,
        }
        return self._transport.request("GET", "/v1/messages", query=query)

    def resend(self, id: str, *, channel: Optional[str] = None) -> ResendResult:
        """Sends again: from the start of the chain, or on one channel of it."""
        return self._transport.request("POST", f"{_path_of(id)}/resend", body=given({"channel": channel}))

    def next_channel(self, id: str) -> SendResult:
        """Starts the next usable step of the chain now."""
        return self._transport.request("POST", f"{_path_of(id)}/next-channel")

    def cancel(self, id: str) -> Dict[str, str]:
        """Ends the message and its code; what has already left cannot be recalled. May be repeated."""
        return self._transport.request("POST", f"{_path_of(id)}/cancel")


def _path_of(id: str) -> str:
    return f"/v1/messages/{segment(id)}"
