"""Stands for spark-submit: hands the job to a session of Spark that runs already, and ends as it did.

    hand_over.py <port> … --request <address> --attempt <number>
"""

import argparse
import json
import socket
import sys

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--request", required=True)
parser.add_argument("--attempt", required=True, type=int)
# Options of spark-submit, and arguments that a platform adds.
given, _ = parser.parse_known_args()
with socket.create_connection(("127.0.0.1", given.port)) as line:
    order = {"request": given.request, "attempt": given.attempt}
    line.sendall(json.dumps(order).encode() + b"\n")
    sys.exit(0 if line.makefile().readline().strip() == "true" else 1)
