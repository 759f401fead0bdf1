"""What a contender is asked to do: one table of one database to Parquet below one folder."""

import json
import os
import sys
from dataclasses import dataclass
from urllib.parse import quote


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
