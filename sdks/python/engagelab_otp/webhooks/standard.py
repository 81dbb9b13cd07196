"""
The other body an endpoint may choose: one event per request, `{type, timestamp, data}` with types like `message.delivered`.
It is turned into the row of the vendor's envelope, so that both formats are read by one code and give the same events.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from .events import WebhookEvent, fields, read_row, text


def read_standard(body: Mapping[str, Any]) -> Optional[WebhookEvent]:
    """The event of such a body, or None for a type that is not known."""
    family, dot, event = (text(body.get("type")) or "").partition(".")
    data = body.get("data")
    if dot == "" or not isinstance(data, dict):
        return None
    row = _row_of(family, event, data)
    if row is None:
        return None
    common = {"server": "otp", "itime": _seconds(body.get("timestamp")), "business_id": data.get("application_id")}
    return read_row({**common, **row}, body)


def _row_of(family: str, event: str, data: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    rest = {key: value for key, value in data.items() if key != "application_id"}
    business_id = {"business_id": data["application_id"]} if "application_id" in data else {}
    if family == "message":
        return _message_row(event, data)
    if family == "notification":
        return {"notification": {"event": event, "notification_data": {**rest, **business_id}}}
    if family == "uplink":
        response = {key: value for key, value in rest.items() if key != "message_id"}
        return {"message_id": data.get("message_id"), "response": {"event": event, "response_data": response}}
    if family == "system":
        return {"system_event": {"event": event, "data": {**business_id, **rest}}}
    return None


def _message_row(message_status: str, data: Dict[str, Any]) -> Dict[str, Any]:
    error = fields(data.get("error"))
    return {
        "message_id": data.get("message_id"),
        "to": data.get("to"),
        "channel": data.get("channel"),
        "custom_args": data.get("custom_args"),
        "status": {
            "message_status": message_status,
            "status_data": {
                **data,
                "msg_time": _seconds(data.get("created_at")),
                "current_send_channel": data.get("channel"),
                "template_key": data.get("template_id"),
                "business_id": data.get("application_id"),
            },
            "billing": data.get("billing"),
            "error_code": error.get("code"),
            "error_detail": error,
        },
    }


def _seconds(value: Any) -> Optional[int]:
    """Whole seconds of a time in ISO 8601, as rows have them."""
    try:
        return math.floor(datetime.fromisoformat((text(value) or "").replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None
