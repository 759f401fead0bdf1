"""One form for a value whatever reader it came from; the test has the same for what was written."""

import json
import struct
import sys
from decimal import Context

EXACT = Context(prec=60)


def canonical(kind, scale, value):
    if value is None:
        return None
    if kind in ("float", "double"):
        return "NaN" if value != value else struct.pack(">d", value).hex()
    if kind == "decimal":
        return str(int(value.scaleb(scale, EXACT)))
    if kind in ("text", "json"):
        return value if isinstance(value, str) else bytes(value).decode("utf-8")
    if kind in ("uuid", "binary", "wkb"):
        return bytes(value).hex()
    if kind == "boolean":
        return "true" if value else "false"
    return str(int(value))


def read_job():
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def answer(found):
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(found, file)
