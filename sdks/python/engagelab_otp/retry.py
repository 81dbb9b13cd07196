"""
When a failed request is repeated, and after which pause. Pure: the randomness is handed in.
A server that names a time is never asked earlier; one that names a long time is not asked again at all.
"""

from __future__ import annotations

from typing import Callable, Optional

from .errors import EngagelabError

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
#: A quota may ask for hours. Nobody wants a call that sleeps so long: such an error goes to the caller at once.
_LONGEST_WAIT_SECONDS = 60.0


def pause_before_retry(error: EngagelabError, tries: int, random: Callable[[], float]) -> Optional[float]:
    """
    Seconds to wait before the next try, or None when the error is final.
    `tries` counts what was already sent (1 after the first failure); `random` returns 0 <= x < 1.
    """
    if not _worth_repeating(error, tries):
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= _LONGEST_WAIT_SECONDS else None
    return random() * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1))


def _worth_repeating(error: EngagelabError, tries: int) -> bool:
    if error.retryable:
        return True
    # Our own earlier try, whose answer was lost, still runs under the same Idempotency-Key: its result can be fetched.
    return tries > 1 and error.http_status == 409 and error.retry_after is not None
