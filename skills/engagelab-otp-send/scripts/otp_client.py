#!/usr/bin/env python3
"""
A client in one file, for places where the SDK cannot be installed. Standard library only, Python 3.8 or later.

    export ENGAGELAB_BASE_URL=http://localhost:8080
    export ENGAGELAB_DEV_KEY=sandbox_demo ENGAGELAB_DEV_SECRET=sandbox_secret
    python3 otp_client.py send +10000000005 sandbox-otp-tpl [language]
    python3 otp_client.py verify MESSAGE_ID 123456
    python3 otp_client.py get MESSAGE_ID

Prints the answer as JSON. Exit codes: 0 done, 1 refused or wrong code, 2 used wrongly, 3 worth repeating later.
Or import it: `OtpClient.from_environment().send("+10000000005", "sandbox-otp-tpl")`.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

RETRYABLE = {1000, 5001, 5016}


class OtpError(Exception):
    """A refusal. `code` 0: no answer. Repeat only if `retryable`."""

    def __init__(self, message, code, http_status, retry_after=None):
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.retry_after = retry_after
        self.retryable = code in RETRYABLE or http_status in (0, 429) or http_status >= 500


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the credentials elsewhere."""

    def redirect_request(self, *args):
        return None


class OtpClient:
    def __init__(self, dev_key, dev_secret, base_url, timeout_seconds=30):
        token = base64.b64encode(f"{dev_key}:{dev_secret}".encode()).decode()
        self._authorization = f"Basic {token}"
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout_seconds
        self._opener = urllib.request.build_opener(_NoRedirect)

    @classmethod
    def from_environment(cls):
        missing = [name for name in ("ENGAGELAB_DEV_KEY", "ENGAGELAB_DEV_SECRET") if not os.environ.get(name)]
        if missing:
            raise SystemExit(f"set {' and '.join(missing)}; sandbox_demo and sandbox_secret open the sandbox unless it is switched off")
        base_url = os.environ.get("ENGAGELAB_BASE_URL") or "http://localhost:8080"
        return cls(os.environ["ENGAGELAB_DEV_KEY"], os.environ["ENGAGELAB_DEV_SECRET"], base_url)

    def send(self, to, template_id, params=None, language="default", idempotency_key=None):
        """The platform makes the code. Returns message_id and send_channel."""
        template = {"id": template_id, "language": language, "params": params or {}}
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._request("POST", "/v1/messages", {"to": to, "template": template}, headers)

    def verify(self, message_id, code):
        """Decide on `verified` alone; code 3003 means that the code is dead and a new one has to be sent."""
        return self._request("POST", "/v1/verifications", {"message_id": message_id, "verify_code": code})

    def get(self, message_id):
        """What became of a message, with its timeline."""
        return self._request("GET", f"/v1/messages/{urllib.parse.quote(message_id, safe='')}")

    def _request(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base_url + path, data=data, method=method)
        request.add_header("Authorization", self._authorization)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=self._timeout) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as reply:
            error = _refusal(reply)
        except (OSError, ValueError) as fault:
            error = OtpError(f"no answer from {self._base_url} ({type(fault).__name__})", 0, 0)
        # Raised here, so that it carries no request with its credentials.
        raise error


def _refusal(reply):
    try:
        body = json.load(reply)
    except ValueError:
        body = {}
    code = body.get("code") if isinstance(body, dict) else None
    message = body.get("message") if isinstance(body, dict) else None
    return OtpError(message or f"HTTP {reply.code}", code or 0, reply.code, reply.headers.get("Retry-After"))


def main(arguments):
    counts = {"send": (2, 3), "verify": (2, 2), "get": (1, 1)}
    deed, *rest = arguments or [""]
    least, most = counts.get(deed, (1, 0))
    if not least <= len(rest) <= most:
        print(__doc__, file=sys.stderr)
        return 2
    client = OtpClient.from_environment()
    try:
        if deed == "send":
            answer = client.send(rest[0], rest[1], language=rest[2] if len(rest) > 2 else "default")
        else:
            answer = getattr(client, deed)(*rest)
    except OtpError as error:
        told = {"code": error.code, "message": str(error), "http": error.http_status, "retryable": error.retryable}
        print(json.dumps({**told, "retry_after": error.retry_after}))
        return 3 if error.retryable else 1
    print(json.dumps(answer, ensure_ascii=False))
    return 1 if answer.get("verified") is False else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
