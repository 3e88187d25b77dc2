"""What every script here shares: the server under test, its inbox, and how a refusal looks."""

import os
import sys
import traceback
import uuid

import requests
from scalekit import ScalekitClient

URL = os.environ["SCALEKIT_ENVIRONMENT_URL"]
CLIENT_ID = os.environ["SCALEKIT_CLIENT_ID"]
CLIENT_SECRET = os.environ["SCALEKIT_CLIENT_SECRET"]

OTP, LINK, LINK_OTP = 1, 2, 3


def new_client(secret=CLIENT_SECRET):
    """A client; its constructor fetches a token already."""
    return ScalekitClient(URL, CLIENT_ID, secret)


def fresh_address(name="ada"):
    """An address that nobody has used before, so that no quota is touched twice."""
    return f"{name}.{uuid.uuid4()}@example.com"


def next_mail(to, after=None):
    """The next mail to `to`, after the mail `after` if one is given."""
    query = {"to": to, "wait": 10}
    if after:
        query["after"] = after["id"]
    answer = requests.get(f"{URL}/dev/inbox/messages", params=query, timeout=20)
    assert answer.status_code == 200, answer.text
    mails = answer.json()
    assert len(mails) == 1, f"one mail to {to} within 10 s"
    return mails[0]


def wrong_code(code, step=1):
    """A code that is surely not `code`, of the same length."""
    return str((int(code) + step) % 10 ** len(code)).zfill(len(code))


def refused(call, kind, error_code, grpc_status):
    """Runs `call` and demands that it raises `kind` with this error code and gRPC status."""
    try:
        answer = call()
    except kind as error:
        assert error.error_code == error_code, f"{error.error_code} is not {error_code}"
        assert error.grpc_status.value[0] == grpc_status, error.grpc_status
        return error
    raise AssertionError(f"expected {error_code}, got {answer}")


def it(sentence):
    """One sentence of behaviour; the first that fails ends the script."""

    def run(body):
        try:
            body()
        except BaseException:
            print(f"FAILED: {sentence}", file=sys.stderr)
            traceback.print_exc()
            sys.exit(1)
        print(f"ok: {sentence}", flush=True)

    return run
