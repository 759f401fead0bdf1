"""Runs a command to its end and writes what it used, with every process it started.

measured.py OUT COMMAND ARGUMENT...

OUT gets JSON: exit code (negative for a signal), wall and CPU seconds, and the largest resident
set that any one of the processes had, in MiB (getrusage(2), ru_maxrss).
"""

import ctypes
import json
import os
import resource
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans come to this process, which then waits for them


def main() -> None:
    out, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    code = None
    wall = 0.0
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            break
        if pid == child:
            wall = time.monotonic() - start
            code = os.waitstatus_to_exitcode(status)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(out, "w") as file:
        json.dump(
            {
                "exitCode": code,
                "wallSeconds": wall,
                "cpuSeconds": used.ru_utime + used.ru_stime,
                "peakMiB": used.ru_maxrss / 1024,
            },
            file,
        )


main()
