"""A finalising run killed with -9 at random moments: nothing of it or all, and never twice."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from billing import Month, list_invoices, open_books
from billing.audit_trail import entries
from edge import Settings
from tests.billed import Billed, bill, fill_books, record, store_usage
from tests.command_line import ROOT
from tests.fire import times
from tests.test_no_float import ACCOUNTS, book

RUN = """
import sys
from pathlib import Path
from edge import Settings
from tests.billed import bill
home = Settings(Path(sys.argv[1]), None, "clerk")
print("begun", flush=True)
bill(home)
print("done", flush=True)
"""
KILLS = times(2)


def start(home: Settings) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RUN, str(home.home)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def final(home: Settings) -> Billed:
    with open_books(home) as books:
        month = list_invoices(books, Month(2026, 10))
    return Billed([], {one["account_id"]: one for one in month})


def acts(home: Settings) -> list[tuple[str, str, int]]:
    """What the trail says of closing: the act, its month and the number of the run."""
    with open_books(home) as books:
        told = [row for row in entries(books) if row["action"].startswith("invoice")]
    return [(one["action"], one["subject"], json.loads(one["details"])["run"]) for one in told]


@pytest.mark.fire
@pytest.mark.long
def test_a_run_killed_at_any_moment_is_made_once(tmp_path: Path, rng: random.Random) -> None:
    home = Settings(tmp_path / "home", None, "clerk")
    head, row, *_ = ACCOUNTS.splitlines()
    ids = [f"a{number:03}" for number in range(300)]
    rows = [row.replace("a,A,a@", f"{id},A,{id}@") for id in ids]
    fill_books(home, [book()], "\n".join([head, *rows]) + "\n")
    store_usage(home, [record(n, ids[n % 300], quantity=n) for n in range(3000)])
    begun_from = Settings(tmp_path / "before", None, "clerk")
    calm = Settings(tmp_path / "calm", None, "clerk")
    for copy in (begun_from, calm):
        shutil.copytree(home.home, copy.home)
    with start(calm) as process:
        begun = time.monotonic()
        assert process.wait() == 0
    whole_s = time.monotonic() - begun
    wanted = final(calm)
    latest_s, kills = whole_s, 0
    while kills < KILLS:
        with start(home) as process:
            time.sleep(rng.uniform(0, latest_s))
            process.kill()
            if process.wait() == -signal.SIGKILL:
                kills += 1
            else:  # This one was faster: what is to be killed is begun anew, and killed sooner.
                latest_s /= 2
                shutil.rmtree(home.home)
                shutil.copytree(begun_from.home, home.home)
        statuses = {one["status"] for one in final(home).documents.values()}
        assert statuses <= {"draft"} or statuses == {"final"}
    bill(home)
    assert final(home).documents == wanted.documents
    assert acts(home) == acts(calm) == [("invoice finalize", "2026-10", 1)]
    numbers = [one["number"] for one in wanted.documents.values()]
    assert numbers == [f"HM-2026-{number:06}" for number in range(1, 301)]
    (evidence,) = home.evidence.glob("*.parquet")
    assert pq.read_table(evidence).equals(pq.read_table(calm.evidence / evidence.name))
