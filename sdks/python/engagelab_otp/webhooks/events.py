"""
What the rows of a callback become: four event classes with one `kind` each, names in snake_case as on the wire.
Reading is tolerant: unknown rows are left out, missing fields are None, and known variants are read as the current form.
`raw` always holds the row as it came.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Union

_TERMINAL = frozenset(
    ["delivered", "delivered_failed", "sent_failed", "target_invalid", "verified", "verified_failed", "verified_timeout"]
)


class MessageStatusEvent:
    """One status of one message, such as `delivered` or `verified`."""

    kind = "message_status"

    def __init__(self, row: Mapping[str, Any], raw: Any = None) -> None:
        status = fields(row.get("status"))
        data = fields(status.get("status_data"))
        self.message_id: Optional[str] = _first(text(row.get("message_id")), text(data.get("message_id")))
        self.to: Optional[str] = text(row.get("to"))
        self.server: Optional[str] = text(row.get("server"))
        self.channel: Optional[str] = text(row.get("channel"))
        #: Unix seconds of the event, not of this try to deliver it.
        self.timestamp: Optional[float] = _number(row.get("itime"))
        self.custom_args: Dict[str, str] = fields(row.get("custom_args"))
        self.status: str = _status_name(text(status.get("message_status")) or "")
        self.fallback_pending: bool = data.get("fallback_pending") is True
        #: Nothing more is expected: a final status without another channel still to come.
        self.is_terminal: bool = self.status in _TERMINAL and not self.fallback_pending
        self.current_send_channel: Optional[str] = text(data.get("current_send_channel"))
        self.template_key: Optional[str] = text(data.get("template_key"))
        self.business_id: Optional[str] = _first(text(data.get("business_id")), text(row.get("business_id")))
        #: Unix seconds of the message's creation.
        self.msg_time: Optional[float] = _number(data.get("msg_time"))
        #: `{"cost": …, "currency": …}`.
        self.billing: Optional[Dict[str, Any]] = status["billing"] if isinstance(status.get("billing"), dict) else None
        #: 0 = none.
        self.error_code: int = int(_number(status.get("error_code")) or 0)
        self.error_message: Optional[str] = text(fields(status.get("error_detail")).get("message"))
        #: 1, 2, 3 … per message.
        self.sequence: Optional[float] = _number(data.get("sequence"))
        self.attempt: Optional[float] = _number(data.get("attempt"))
        self.late: bool = data.get("late") is True
        self.raw: Any = row if raw is None else raw


class NotificationEvent:
    """Something the application's owner should know: balance, verification rate, template review."""

    kind = "notification"

    def __init__(self, row: Mapping[str, Any], raw: Any = None) -> None:
        notification = fields(row.get("notification"))
        self.event: Optional[str] = text(notification.get("event"))
        self.data: Dict[str, Any] = _with_params(fields(notification.get("notification_data")))
        self.timestamp: Optional[float] = _number(row.get("itime"))
        self.business_id: Optional[str] = _first(text(self.data.get("business_id")), text(row.get("business_id")))
        self.raw: Any = row if raw is None else raw


class UplinkEvent:
    """A text that a person sent to one of your numbers."""

    kind = "uplink"

    def __init__(self, row: Mapping[str, Any], raw: Any = None) -> None:
        response = fields(row.get("response"))
        self.event: Optional[str] = text(response.get("event"))
        self.data: Dict[str, Any] = _with_params(fields(response.get("response_data")))
        self.timestamp: Optional[float] = _number(row.get("itime"))
        self.business_id: Optional[str] = text(row.get("business_id"))
        self.message_id: Optional[str] = text(row.get("message_id"))
        #: `from` on the wire, which is no name in Python.
        self.from_: Optional[str] = text(self.data.get("from"))
        self.to: Optional[str] = text(self.data.get("to"))
        self.body: Optional[str] = text(self.data.get("body"))
        self.message_sid: Optional[str] = text(self.data.get("message_sid"))
        self.account_sid: Optional[str] = text(self.data.get("account_sid"))
        self.raw: Any = row if raw is None else raw


class SystemEvent:
    """Something that was done in the account: logins, keys, templates, API calls. `data` holds the details of the event."""

    kind = "system_event"

    def __init__(self, row: Mapping[str, Any], raw: Any = None) -> None:
        system = fields(row.get("system_event"))
        data = fields(system.get("data"))
        self.event: Optional[str] = text(system.get("event"))
        self.data: Dict[str, Any] = _with_long_action(self.event, _with_params(fields(data.get(self.event or ""))))
        self.timestamp: Optional[float] = _number(row.get("itime"))
        self.business_id: Optional[str] = _first(text(data.get("business_id")), text(row.get("business_id")))
        self.org_id: Optional[str] = text(data.get("org_id"))
        self.operator: Dict[str, Any] = _renamed(fields(data.get("operator")), "ip", "ip_address")
        self.raw: Any = row if raw is None else raw


WebhookEvent = Union[MessageStatusEvent, NotificationEvent, UplinkEvent, SystemEvent]


def read_row(row: Any, raw: Any = None) -> Optional[WebhookEvent]:
    """The event of one row, or None for a row of a kind that is not known. `raw` is what came, where that was no row."""
    if not isinstance(row, dict):
        return None
    if isinstance(row.get("status"), dict):
        return MessageStatusEvent(row, raw)
    if isinstance(row.get("notification"), dict):
        return NotificationEvent(row, raw)
    if isinstance(row.get("response"), dict):
        return UplinkEvent(row, raw)
    if isinstance(row.get("system_event"), dict):
        return SystemEvent(row, raw)
    return None


def fields(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any) -> Optional[str]:
    """Ids sometimes come as numbers; as text they compare equal to what a send returned."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _first(one: Optional[str], other: Optional[str]) -> Optional[str]:
    return other if one is None else one


def _number(value: Any) -> Optional[float]:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _status_name(status: str) -> str:
    """Published samples say `sent_fail` where the published table says `sent_failed`."""
    return "sent_failed" if status == "sent_fail" else status


def _with_long_action(event: Optional[str], data: Dict[str, Any]) -> Dict[str, Any]:
    """Some senders give the bare verb: `create` where others say `create api_key`."""
    action = data.get("action")
    if action not in ("create", "update", "delete", "view"):
        return data
    if event == "template_manage":
        return {**data, "action": f"{action} template"}
    if event == "key_manage":
        return {**data, "action": "view api_secret" if action == "view" else f"{action} api_key"}
    return data


def _with_params(data: Dict[str, Any]) -> Dict[str, Any]:
    return _renamed(data, "param_vars", "params")


def _renamed(data: Dict[str, Any], old: str, new: str) -> Dict[str, Any]:
    if old not in data or new in data:
        return data
    return {**{key: value for key, value in data.items() if key != old}, new: data[old]}
