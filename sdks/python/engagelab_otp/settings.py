"""
Turns constructor arguments and ENGAGELAB_* variables into checked settings, once, when a client is made.
A mistake is refused here with a sentence that names the remedy and never repeats the value.
"""

from __future__ import annotations

import base64
import os
from typing import Callable, Optional, Tuple
from urllib.parse import SplitResult, urlsplit

from .wire import Wire, http_wire


class Settings:
    """What a transport needs to know. Its repr shows no credential."""

    __slots__ = ("base_url", "authorization", "hidden", "timeout_seconds", "max_retries", "wire", "random", "sleep")

    def __init__(
        self,
        dev_key: Optional[str],
        dev_secret: Optional[str],
        *,
        base_url: Optional[str],
        timeout_ms: int,
        max_retries: int,
        transport: Optional[Wire],
        random: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        key = _credential("dev_key", dev_key, "ENGAGELAB_DEV_KEY")
        secret = _credential("dev_secret", dev_secret, "ENGAGELAB_DEV_SECRET")
        if ":" in key:
            raise TypeError('OTPClient: dev_key contains a colon; is it "key:secret" in one string?')
        token = base64.b64encode(f"{key}:{secret}".encode("utf-8")).decode("ascii")
        self.base_url = _check_base_url(base_url or os.environ.get("ENGAGELAB_BASE_URL") or "http://localhost:8080")
        self.authorization = f"Basic {token}"
        # Shorter ones are no secrets, and taking "a" or "key" out of every error would only blur it.
        self.hidden: Tuple[str, ...] = tuple(value for value in (token, secret, key) if len(value) > 3)
        self.timeout_seconds = _whole_number("timeout_ms", timeout_ms, 1) / 1000
        self.max_retries = _whole_number("max_retries", max_retries, 0)
        self.wire: Wire = transport or http_wire
        self.random = random
        self.sleep = sleep

    def __repr__(self) -> str:
        return f"<Settings of {self.base_url}>"


def _credential(name: str, given: Optional[str], variable: str) -> str:
    value = os.environ.get(variable) if given is None else given
    if isinstance(value, str) and value != "":
        return value
    raise TypeError(
        f"OTPClient: {name} is missing. Call OTPClient(dev_key, dev_secret) or set {variable}; "
        'the operator makes keys (engagelab-otp keys create), and "sandbox_demo" with "sandbox_secret" opens the sandbox.'
    )


def _check_base_url(value: str) -> str:
    url = _parsed(value)
    if url is None or url.scheme not in ("http", "https") or not url.hostname:
        raise TypeError("OTPClient: the base URL must be an absolute http or https URL such as https://otp.example.com")
    if url.username is not None or url.password is not None:
        raise TypeError(
            "OTPClient: the base URL must not contain credentials; pass dev_key and dev_secret instead"
        )
    if "?" in value or "#" in value:
        raise TypeError('OTPClient: the base URL must end before "?" and "#"')
    return value.rstrip("/")


def _parsed(value: str) -> Optional[SplitResult]:
    try:
        url = urlsplit(value)
        # Reading the port is what finds a wrong one.
        return url if url.port is None or url.port > 0 else None
    except (ValueError, AttributeError):
        return None


def _whole_number(name: str, value: int, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    raise TypeError(f"OTPClient: {name} must be a whole number, at least {least}")
