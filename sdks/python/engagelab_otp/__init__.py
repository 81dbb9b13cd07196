"""Send one-time passwords, check them, and receive callbacks. Everything public is named here."""

from .aio import AsyncOTPClient
from .client import OTPClient
from .errors import EngagelabError, WebhookSignatureError
from .version import VERSION as __version__
from .webhooks.events import (
    MessageStatusEvent,
    NotificationEvent,
    SystemEvent,
    UplinkEvent,
    WebhookEvent,
)
from .webhooks.verifier import WebhookVerifier
from .wire import WireReply, WireRequest

__all__ = [
    "AsyncOTPClient",
    "EngagelabError",
    "MessageStatusEvent",
    "NotificationEvent",
    "OTPClient",
    "SystemEvent",
    "UplinkEvent",
    "WebhookEvent",
    "WebhookSignatureError",
    "WebhookVerifier",
    "WireReply",
    "WireRequest",
    "__version__",
]
