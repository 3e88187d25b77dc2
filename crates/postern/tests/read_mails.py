"""Reads every .eml file of a folder with Python's own e-mail parser and prints what it found."""

import email
import json
import pathlib
import sys
from email import policy


def read(path: pathlib.Path) -> dict:
    message = email.message_from_bytes(path.read_bytes(), policy=policy.SMTPUTF8)
    parts = list(message.walk())
    bodies = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in parts[1:]}
    return {
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "types": [part.get_content_type() for part in parts],
        "text": bodies["text/plain"],
        "html": bodies["text/html"],
        "defects": [repr(defect) for part in parts for defect in part.defects]
        + [f"{name}: {defect!r}" for name, value in message.items() for defect in value.defects],
    }


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    json.dump({path.name: read(path) for path in sorted(folder.glob("*.eml"))}, sys.stdout)
