"""
Takes credentials and one-time codes out of whatever a server sent back, before it can become part of an error.
A gateway that echoes the Authorization header must not put it into somebody's error tracker.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Pattern, Sequence


def redactor(hidden: Sequence[str]) -> Callable[[Any], Any]:
    """
    Returns a function that replaces each hidden value in every string of a JSON value.
    Values match as whole words only, so that a code is not cut out of the middle of a message id.
    """
    words = [word for word in (value.strip() for value in hidden) if word != ""]
    if not words:
        return lambda value: value
    # Longest first: a key that is part of the secret must not leave the rest of the secret standing.
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(f"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])")
    return lambda value: _clean(value, pattern)


def _clean(value: Any, pattern: Pattern[str]) -> Any:
    if isinstance(value, str):
        return pattern.sub("[redacted]", value)
    if isinstance(value, list):
        return [_clean(item, pattern) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item, pattern) for key, item in value.items()}
    return value
