"""
Does with the Python package what a test asks for: one JSON object per line comes in, one goes out.
An answer is `{"ok": value}`, `{"error": {...}}` for an EngagelabError, or `{"fault": "Type: message"}` for anything else.
"""

import asyncio
import json
import pickle
import re
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from engagelab_otp import AsyncOTPClient, EngagelabError, OTPClient, WebhookVerifier


def no_sleep(seconds):
    return None


def python_names(options):
    # `from` is no name in Python.
    return {"from_" if name == "from" else name: value for name, value in options.items()}


def call(asked):
    kind = AsyncOTPClient if asked.get("style") == "async" else OTPClient
    client = kind(asked["key"], asked["secret"], base_url=asked["url"], sleep=no_sleep, **asked.get("client", {}))
    method = client
    for part in asked["call"].split("."):
        method = getattr(method, part)
    made = method(*asked["args"], **python_names(asked.get("options") or {}))
    return asyncio.run(awaited(made)) if kind is AsyncOTPClient else made


async def awaited(made):
    return await made


def shown_event(event):
    names = {name: value for name, value in vars(event).items() if name != "raw"}
    return {"kind": event.kind, **{"from" if name == "from_" else name: value for name, value in names.items()}}


def events(asked):
    return [shown_event(event) for event in verifier({"username": "u", "secret": "s"}).parse_events(asked["body"])]


def verifier(options):
    return WebhookVerifier(**options)


def verify(asked):
    checker = verifier(asked["verifier"])
    if "header" in asked:
        checker.verify(asked["header"])
    else:
        checker.verify_standard(asked["headers"], asked["body"])


def receive(asked):
    handled = []

    def handler(found):
        handled.extend(event.kind for event in found)
        if asked.get("fails"):
            raise RuntimeError("the handler failed")

    options = {"ack_on_error": asked.get("ack_on_error", False), "on_error": lambda error: None}
    answer = verifier(asked["verifier"]).receive(asked["headers"], asked["body"], handler, **options)
    return {"status": answer.status, "handled": handled}


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def serve(asked):
    """Listens on a free port, tells it, and prints each status; ends with the process."""
    import threading

    def handler(found):
        for event in found:
            print(json.dumps({"event": shown_event(event)}), flush=True)

    hooks = verifier(asked["verifier"])
    if asked["framework"] == "flask":
        from flask import Flask

        app = Flask("receiver")
        app.add_url_rule("/", view_func=hooks.flask_view(handler), methods=["POST"])
    else:
        app = hooks.wsgi_app(handler)
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def has_flask(asked):
    try:
        import flask  # noqa: F401
    except ImportError:
        return False
    return True


def shown(asked):
    """All that printing could show of a client and a verifier."""
    client = OTPClient(asked["key"], asked["secret"], base_url="http://localhost:1")
    checker = verifier({"username": "u", "secret": asked["secret"]})
    return f"{client!r} {client.messages!r} {client._transport!r} {client._transport._settings!r} {checker!r}"


def sent_between_processes(asked):
    error = EngagelabError("why", code=3003, http_status=400, retryable=False, category="expired", reason="expired")
    copy = pickle.loads(pickle.dumps(error))
    return {"same": vars(copy) == vars(error), "text": str(copy)}


DEEDS = {
    "call": call,
    "events": events,
    "verify": verify,
    "receive": receive,
    "serve": serve,
    "has_flask": has_flask,
    "shown": shown,
    "pickled": sent_between_processes,
}


def answer(asked):
    try:
        return {"ok": DEEDS[asked["do"]](asked)}
    except EngagelabError as error:
        chained = error.__cause__ is not None or error.__context__ is not None
        return {"error": {**vars(error), "text": f"{error!s} {error!r}", "chained": chained}}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {re.sub(chr(10), ' ', str(error))}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
