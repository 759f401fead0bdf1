"""What a contender is asked to do: one table of one database to Parquet below one folder."""

import json
import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from urllib.parse import quote

# A running process moves the table again until so many seconds have passed, twice at least.
AGAIN_SECONDS = 3


@dataclass(frozen=True)
class Job:
    family: str
    host: str
    port: int
    user: str
    password: str
    database: str
    table: str
    output: str
    zstdLevel: int
    options: dict
    # Where a process that goes on running notes what each further move used; None: it moves once.
    again: str | None = None

    @property
    def query(self) -> str:
        return f"SELECT * FROM {self.table}"

    @property
    def file(self) -> str:
        return os.path.join(self.output, "part.parquet")

    def url(self, scheme: str) -> str:
        place = f"{self.host}:{self.port}/{self.database}"
        return f"{scheme}://{quote(self.user)}:{quote(self.password)}@{place}"


def read_job() -> Job:
    with open(sys.argv[1]) as file:
        return Job(**json.load(file))


def perform(job: Job, move) -> None:
    """Moves the table, once or as a process that has moved it before: job.ts does the same."""
    move(job)
    if job.again is None:
        return
    rounds = []
    began = time.monotonic()
    while len(rounds) < 2 or time.monotonic() - began < AGAIN_SECONDS:
        output = os.path.join(job.output, f"again-{len(rounds)}")
        os.makedirs(output)
        wall, cpu = time.monotonic(), cpu_seconds()
        move(replace(job, output=output))
        rounds.append({"wallSeconds": time.monotonic() - wall, "cpuSeconds": cpu_seconds() - cpu})
    with open(job.again, "w") as file:
        json.dump(rounds, file)


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
