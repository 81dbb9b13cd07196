"""
The way onto the network: the standard library's http.client, or a callable of yours with the same shape.
It follows no redirects, which would carry the key elsewhere, and keeps one time limit over the whole exchange.
"""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit


class WireRequest(NamedTuple):
    method: str
    url: str
    headers: Dict[str, str]
    body: Optional[bytes]


class WireReply(NamedTuple):
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: str

    def header(self, name: str) -> Optional[str]:
        return self.headers.get(name)


#: Sends one request within so many seconds. Raises OSError (TimeoutError for the time limit) or HTTPException.
Wire = Callable[[WireRequest, float], WireReply]


def http_wire(request: WireRequest, timeout_seconds: float) -> WireReply:
    """Sends through http.client, on a connection of its own."""
    deadline = time.monotonic() + timeout_seconds
    url = urlsplit(request.url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=timeout_seconds)
    try:
        target = url.path or "/"
        connection.request(
            request.method, f"{target}?{url.query}" if url.query else target, request.body, request.headers
        )
        sock = connection.sock
        sock.settimeout(_left(deadline))
        response = connection.getresponse()
        chunks: List[bytes] = []
        while True:
            # Set anew before each read: a server that drips must not stretch the limit.
            sock.settimeout(_left(deadline))
            chunk = response.read1(65536)
            if not chunk:
                break
            chunks.append(chunk)
        if response.length not in (None, 0):
            raise HTTPException("connection lost within the body")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return WireReply(response.status, headers, b"".join(chunks).decode("utf-8", "replace"))
    finally:
        connection.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("time limit")
    return left
