"""
The client: its methods are the platform's operations, each a few lines that name the request.
Credentials live only in the transport's settings; printing a client shows none.
"""

from __future__ import annotations

import random as random_module
import time
from typing import Callable, Dict, Optional, Sequence, Union

from .resources.balance import Balance, read_balance
from .resources.insights import Insights, Moment, read_insights
from .resources.messages import Messages
from .resources.sandbox import Sandbox
from .resources.send_options import AlternateTo, Params, Signals, send_options
from .resources.sending import SendResult, send_custom_message, send_otp, send_own_code
from .resources.templates import Templates
from .resources.verifications import VerifyResult, check_code
from .settings import Settings
from .transport import Transport
from .wire import Wire


class OTPClient:
    """
    Safe to share between threads. Without arguments the key and secret come from ENGAGELAB_DEV_KEY and
    ENGAGELAB_DEV_SECRET, and the address from ENGAGELAB_BASE_URL, else http://localhost:8080.
    """

    def __init__(
        self,
        dev_key: Optional[str] = None,
        dev_secret: Optional[str] = None,
        *,
        base_url: Optional[str] = None,
        timeout_ms: int = 30_000,
        max_retries: int = 0,
        transport: Optional[Wire] = None,
        random: Callable[[], float] = random_module.random,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`random` and `sleep` are for tests: where the jitter of retries comes from, and how they wait (seconds)."""
        self._transport = Transport(
            Settings(
                dev_key,
                dev_secret,
                base_url=base_url,
                timeout_ms=timeout_ms,
                max_retries=max_retries,
                transport=transport,
                random=random,
                sleep=sleep,
            )
        )
        self.messages = Messages(self._transport)
        self.templates = Templates(self._transport)
        self.sandbox = Sandbox(self._transport)

    def send(
        self,
        to: str,
        template_id: str,
        params: Optional[Params] = None,
        language: str = "default",
        *,
        custom_args: Optional[Dict[str, str]] = None,
        alternate_to: Optional[AlternateTo] = None,
        signals: Optional[Signals] = None,
        purpose: Optional[str] = None,
        ttl_seconds: Optional[int] = None,
        code_length: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> SendResult:
        """Sends a code that the platform makes. `to` is an E.164 number or an e-mail address."""
        options = send_options(custom_args, alternate_to, signals, purpose, ttl_seconds, code_length)
        return send_otp(self._transport, to, template_id, params, language, options, idempotency_key)

    def send_code(
        self,
        to: str,
        code: str,
        template_id: str,
        params: Optional[Params] = None,
        language: str = "default",
        *,
        custom_args: Optional[Dict[str, str]] = None,
        alternate_to: Optional[AlternateTo] = None,
        signals: Optional[Signals] = None,
        purpose: Optional[str] = None,
        ttl_seconds: Optional[int] = None,
        code_length: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> SendResult:
        """Sends a code that you made; the platform cannot check it afterwards."""
        options = send_options(custom_args, alternate_to, signals, purpose, ttl_seconds, code_length)
        return send_own_code(self._transport, to, code, template_id, params, language, options, idempotency_key)

    def send_custom(
        self,
        to: Union[str, Sequence[str]],
        template_id: str,
        params: Optional[Params] = None,
        *,
        language: Optional[str] = None,
        custom_args: Optional[Dict[str, str]] = None,
        alternate_to: Optional[AlternateTo] = None,
        signals: Optional[Signals] = None,
        purpose: Optional[str] = None,
        ttl_seconds: Optional[int] = None,
        code_length: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> SendResult:
        """Sends a custom message; `params["code"]` is needed if the template has a code."""
        options = send_options(custom_args, alternate_to, signals, purpose, ttl_seconds, code_length)
        return send_custom_message(self._transport, to, template_id, params, language, options, idempotency_key)

    def verify(
        self, message_id: str, code: str, *, purpose: Optional[str] = None, signals: Optional[Signals] = None
    ) -> VerifyResult:
        """Checks what a person typed. A wrong code gives `verified: False`; an expired or used one raises code 3003."""
        return check_code(self._transport, message_id, code, purpose, signals)

    def insights(
        self,
        *,
        from_: Optional[Moment] = None,
        until: Optional[Moment] = None,
        group_by: Union[str, Sequence[str], None] = None,
        country: Optional[str] = None,
        channel: Optional[str] = None,
        template: Optional[str] = None,
        provider: Optional[str] = None,
    ) -> Insights:
        """What happened in a span of time; `group_by` up to two of country, channel, template, hour, day, provider."""
        query = {
            "from": from_,
            "until": until,
            "group_by": group_by,
            "country": country,
            "channel": channel,
            "template": template,
            "provider": provider,
        }
        return read_insights(self._transport, query)

    def balance(self) -> Balance:
        return read_balance(self._transport)

    def __repr__(self) -> str:
        return f"OTPClient({self._transport!r})"
