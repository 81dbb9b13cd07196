#!/usr/bin/env python3
"""
Says whether one recorded callback is genuine. Standard library only, Python 3.8 or later.

    export ENGAGELAB_WEBHOOK_SIGNING_SECRET=whsec_…                      # and/or
    export ENGAGELAB_WEBHOOK_USERNAME=… ENGAGELAB_WEBHOOK_SECRET=…
    python3 check_callback.py headers.txt body.json

headers.txt has one `Name: value` per line, as `curl -D` or an access log keeps them; body.json the body byte for byte.
Exit codes: 0 genuine, 1 not, 2 used wrongly. The age is printed, not judged: a recorded callback is old.
"""

import base64
import hashlib
import hmac
import os
import sys
import time


def read_headers(text):
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def keys_of(secrets):
    """The bytes of each secret, or None if one of them is none."""
    try:
        keys = [base64.b64decode(one[len("whsec_") :] if one.startswith("whsec_") else one, validate=True) for one in secrets]
    except ValueError:
        return None
    return keys if all(keys) else None


def check_body(headers, body, keys):
    """Standard Webhooks: covers id, time and body. Two signatures stand there while a secret is being changed."""
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    given = headers.get("webhook-signature", "").split()
    matches = []
    for key in keys:
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        matches += [hmac.compare_digest(one.encode(), expected.encode()) for one in given]
    return True in matches


def check_sender(headers, username, secret):
    """X-CALLBACK-ID: covers time, nonce and username, and nothing of the body."""
    parts = dict(part.strip().split("=", 1) for part in headers.get("x-callback-id", "").split(";") if "=" in part)
    signed = "".join(parts.get(name, "") for name in ("timestamp", "nonce", "username"))
    expected = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    same_user = hmac.compare_digest(parts.get("username", "").encode(), username.encode())
    return hmac.compare_digest(parts.get("signature", "").encode(), expected.encode()) and same_user


def main(arguments):
    signing = os.environ.get("ENGAGELAB_WEBHOOK_SIGNING_SECRET", "").split()
    username = os.environ.get("ENGAGELAB_WEBHOOK_USERNAME", "")
    secret = os.environ.get("ENGAGELAB_WEBHOOK_SECRET", "")
    if len(arguments) != 2 or not (signing or (username and secret)):
        print(__doc__, file=sys.stderr)
        return 2
    keys = keys_of(signing)
    if keys is None:
        print("ENGAGELAB_WEBHOOK_SIGNING_SECRET holds something that is no signing secret", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            headers = read_headers(file.read())
        with open(arguments[1], "rb") as file:
            body = file.read()
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    except UnicodeDecodeError:
        print(f"{arguments[0]} is not text", file=sys.stderr)
        return 2
    results = []
    if keys:
        results.append(("body and sender (webhook-signature)", check_body(headers, body, keys)))
    if username and secret:
        results.append(("sender only (X-CALLBACK-ID)", check_sender(headers, username, secret)))
    for name, right in results:
        print(f"{'genuine' if right else 'NOT GENUINE'}: {name}")
    stamp = headers.get("webhook-timestamp", "")
    if stamp.isdecimal():
        print(f"signed {round(time.time() - int(stamp))} s ago; a receiver refuses more than 300")
    return 0 if all(right for _, right in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
