"""
What may accompany a send or a check beyond the required arguments. Names are those of the wire.
Everything is optional and left out of the request when it is not given.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, TypedDict

from ..transport import given

Params = Mapping[str, str]


class Signals(TypedDict, total=False):
    """What you know about the person's device and network; read by limits and fraud rules."""

    #: IPv4 or IPv6 address of the person, not of your server.
    ip: str
    user_agent: str
    device_id: str
    session_id: str
    #: Skips fraud scoring; never lists, limits or locks.
    is_trusted_user: bool
    #: The person has just passed a proof of yours, such as a captcha: the answer to reason `challenge_required`.
    captcha_passed: bool


class AlternateTo(TypedDict, total=False):
    """The address for those steps of the chain that do not fit the kind of `to`."""

    email: str
    phone: str


def send_options(
    custom_args: Optional[Dict[str, str]],
    alternate_to: Optional[AlternateTo],
    signals: Optional[Signals],
    purpose: Optional[str],
    ttl_seconds: Optional[int],
    code_length: Optional[int],
) -> Dict[str, Any]:
    """
    The optional top-level fields of a send request. `custom_args` are at most 20 strings that come back in every
    callback (never put the code there); `ttl_seconds` is 30 to 86400 and `code_length` 4 to 10, where the policy allows.
    """
    return given(
        {
            "custom_args": custom_args,
            "alternate_to": alternate_to,
            "signals": signals,
            "purpose": purpose,
            "ttl_seconds": ttl_seconds,
            "code_length": code_length,
        }
    )
