"""
Approved texts per channel and language. Bodies and answers keep the names of the wire.
Answers of these methods may carry more fields than are typed here.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, TypedDict

from ..transport import Transport, segment


class Template(TypedDict, total=False):
    """In lists the channel configs are shortened; `get` returns them whole."""

    template_id: str
    description: str
    #: One channel, or a chain such as `whatsapp|sms`, tried in that order.
    send_channel_strategy: str
    brand_name: str
    verify_code_config: Dict[str, int]
    sms_config: Dict[str, Any]
    whatsapp_config: Dict[str, Any]
    voice_config: Dict[str, Any]
    email_config: Dict[str, Any]
    created_time: int
    #: 1 pending, 2 approved, 3 rejected; only approved templates send.
    status: int
    audit_remark: str
    revision: int


class TemplateSaved(TypedDict, total=False):
    code: int
    message: str
    template_id: str
    revision: int
    status: int
    warnings: List[Dict[str, Any]]


class TemplatePreview(TypedDict):
    template_id: str
    revision: int
    #: Per channel and language: `text`, `encoding`, `length`, `segments`.
    renderings: List[Dict[str, Any]]
    warnings: List[Dict[str, Any]]


class Templates:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> List[Template]:
        """All templates of the application, newest first."""
        return self._transport.request("GET", "/v1/template-configs")

    def get(self, id: str) -> Template:
        return self._transport.request("GET", _path_of(id))

    def create(self, body: Mapping[str, Any]) -> TemplateSaved:
        """A new template waits for its review before it can send."""
        return self._transport.request("POST", "/v1/template-configs", body=body)

    def update(self, id: str, body: Mapping[str, Any]) -> TemplateSaved:
        """Makes a new revision; sends keep using the approved one until the new one is approved, unless `withdraw` is set."""
        return self._transport.request("PUT", _path_of(id), body=body)

    def delete(self, id: str) -> Dict[str, Any]:
        return self._transport.request("DELETE", _path_of(id))

    def preview(self, id: str, body: Optional[Mapping[str, Any]] = None) -> TemplatePreview:
        """Renders with a sample code, one `language` or all, with `params` or a `revision`; sends nothing."""
        return self._transport.request("POST", f"{_path_of(id)}/preview", body=body or {})


def _path_of(id: str) -> str:
    return f"/v1/template-configs/{segment(id)}"
