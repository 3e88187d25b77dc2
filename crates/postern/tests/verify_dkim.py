"""Verifies the DKIM signatures of a message with dkimpy.

Reads JSON from standard input: {"message": TEXT, "records": {NAME: TEXT}}; prints one line a signature,
in their order: its algorithm, and pass or fail. The records stand for the DNS.
"""

import json
import sys

import dkim

given = json.load(sys.stdin)
message = given["message"].encode("utf-8", "surrogateescape")
records = {name + ".": record.encode() for name, record in given["records"].items()}


def lookup(name, timeout=5):
    return records.get(name.decode() if isinstance(name, bytes) else name)


verifier = dkim.DKIM(message, minkey=1024)
count = sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")
for place in range(count):
    try:
        good = verifier.verify(idx=place, dnsfunc=lookup)
        told = "pass" if good else "fail"
    except dkim.DKIMException as problem:
        told = f"fail: {problem}"
    print(verifier.signature_fields.get(b"a", b"?").decode(), told)
