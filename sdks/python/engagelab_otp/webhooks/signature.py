"""
The two signatures of a callback: the vendor's X-CALLBACK-ID header and Standard Webhooks.
X-CALLBACK-ID proves who sent the request but does not cover the body; the Standard Webhooks signature covers it.
All comparisons take the same time whatever differs. Failures raise WebhookSignatureError and name no secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from ..errors import WebhookSignatureError

_MOST_SIGNATURES = 20


def check_callback_id(
    header: Optional[str], username: str, secrets: Sequence[str], tolerance_seconds: Optional[float]
) -> None:
    """Checks `timestamp=…;nonce=…;username=…;signature=…`, parts in any order, and the age; the signature of one secret is enough."""
    parts = _split_header(header)
    try:
        timestamp, nonce, name, signature = (parts[key] for key in ("timestamp", "nonce", "username", "signature"))
    except KeyError:
        raise WebhookSignatureError(
            "X-CALLBACK-ID: timestamp, nonce, username and signature are all needed"
        ) from None
    given = bytes.fromhex(signature) if re.fullmatch(r"[0-9a-f]{64}", signature) else b""
    signed = f"{timestamp}{nonce}{name}".encode("utf-8")
    # All are compared before any is judged: the answer must not tell a right username from a wrong one.
    same_user = hmac.compare_digest(name.encode("utf-8"), username.encode("utf-8"))
    same_macs = [
        hmac.compare_digest(given, hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).digest())
        for secret in secrets
    ]
    if not same_user or True not in same_macs:
        raise WebhookSignatureError("X-CALLBACK-ID: the signature does not match")
    _check_age("X-CALLBACK-ID", timestamp, tolerance_seconds)


def check_standard(
    headers: Any, raw_body: bytes, keys: Sequence[bytes], tolerance_seconds: Optional[float]
) -> None:
    """Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` over the raw body; one signature by one key is enough."""
    id = read_header(headers, "webhook-id")
    timestamp = read_header(headers, "webhook-timestamp")
    signatures = read_header(headers, "webhook-signature")
    if not id or not timestamp or not signatures:
        raise WebhookSignatureError("webhook-id, webhook-timestamp and webhook-signature are all needed")
    signed = f"{id}.{timestamp}.".encode("utf-8") + raw_body
    macs = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    # No early exit: every signature is compared with every key's. The platform sends two; a flood costs nobody anything.
    matches = []
    for candidate in signatures.split(" ")[:_MOST_SIGNATURES]:
        version, value = _split_once(candidate, ",")
        given = _base64(value) if version == "v1" else b""
        matches.extend([hmac.compare_digest(given, mac) for mac in macs])
    if True not in matches:
        raise WebhookSignatureError("webhook-signature: no signature matches")
    _check_age("webhook-timestamp", timestamp, tolerance_seconds)


def signing_key(secret: str) -> bytes:
    """The key bytes of a `whsec_…` secret; raises a TypeError that does not repeat it."""
    key = _base64(secret[len("whsec_") :] if secret.startswith("whsec_") else secret)
    if key:
        return key
    raise TypeError('WebhookVerifier: signing_secret must be "whsec_" followed by base64')


def read_header(headers: Any, name: str) -> Optional[str]:
    """One header of a mapping, any case of name: a dict, or the headers object of a framework."""
    pairs: Mapping[str, Any] = headers
    for key, value in pairs.items():
        if str(key).lower() == name:
            one = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
            return one if isinstance(one, str) else None
    return None


def _split_header(header: Optional[str]) -> Dict[str, str]:
    if not isinstance(header, str) or header == "":
        raise WebhookSignatureError("X-CALLBACK-ID: the header is missing")
    parts: Dict[str, str] = {}
    for part in header.split(";"):
        name, value = _split_once(part, "=")
        if name == "" and value == "":
            continue
        # A part given twice could be read one way here and another way elsewhere.
        if name in parts:
            raise WebhookSignatureError("X-CALLBACK-ID: a part is given twice")
        parts[name] = value
    return parts


def _split_once(text: str, separator: str) -> Tuple[str, str]:
    before, _, after = text.partition(separator)
    return before.strip(), after.strip()


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_age(header: str, timestamp: str, tolerance_seconds: Optional[float]) -> None:
    if tolerance_seconds is None:
        return
    if re.fullmatch(r"[0-9]{1,15}", timestamp) and abs(time.time() - int(timestamp)) <= tolerance_seconds:
        return
    raise WebhookSignatureError(f"{header}: the timestamp is outside the tolerance")
