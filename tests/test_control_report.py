"""The control report at the end of a run, as a clerk reads it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.clerk import Clerk

RUN = ("invoice", "run", "--month")


@pytest.fixture
def clerk(tmp_path: Path) -> Clerk:
    return Clerk(tmp_path, "2027-06-01T00:00:00Z", acme="p", base="base", dodo="p", idle="free")


def report(text: str) -> str:
    """From its heading on."""
    return text[text.index("Control report") :]


def test_a_run_ends_with_what_the_month_came_to(clerk: Clerk) -> None:
    clerk.use("acme", *(f"2026-09-{day:02}" for day in range(1, 6)))
    clerk.use("dodo", "2026-09-01", "2026-10-01", "2026-10-02")
    clerk.close("2026-09")
    clerk.subscribe(nova="base,2026-10-01,")
    clerk.use("acme", "2026-10-02", meter="recording")
    clerk.use("ghost", "2026-10-02")
    clerk.must("invoice", "hold", "dodo", "--month", "2026-10", "--reason", "asked to wait")
    run = clerk.must(*RUN, "2026-10", "--finalize")
    assert (
        report(run.stdout)
        == """\
Control report of 2026-10
documents            closed  drafts
-------------------  ------  ------
invoices                  2       1
credit notes              0       0
nil                       2       0
held                              1
blocked                           0
left out by a fault               0

Sums before tax, by currency and plan
currency  plan       documents  total
--------  ---------  ---------  -----
EUR       base               2  20.00
EUR       free               1   0.00
EUR       p                  2   2.00
EUR       all plans          5  22.00

Largest changes against 2026-09
account_id  currency  before    now  change
----------  --------  ------  -----  ------
nova        EUR               10.00   10.00
dodo        EUR         1.00   2.00    1.00
acme        EUR         5.00   0.00   -5.00
EUR: 22.00 of 5 accounts, before 16.00 of 4; 1 new, 0 gone

Held, until `invoice release`
account_id  since       who  reason
----------  ----------  ---  -------------
dodo        2027-06-01  ann  asked to wait

Unbilled usage, by reason
reason      accounts  records  seconds
----------  --------  -------  -------
no_account         1        1        0
no_charge          1        1        0
See `usage --month 2026-10 --unbilled`.
"""
    )
    # Again, when all but the held one are closed.
    assert report(clerk.must(*RUN, "2026-10").stdout) == report(run.stdout)


def test_data_for_machines_has_the_report_beside_it(clerk: Clerk) -> None:
    done = clerk.must(*RUN, "2026-10", "--format", "csv")
    assert done.stdout.splitlines()[0].startswith("id,number,status")
    assert "Control" not in done.stdout
    assert "\nSums before tax, by currency and plan\ncurrency  plan" in done.stderr


def test_a_draft_run_tells_what_a_closing_one_would_be_kept_from(clerk: Clerk) -> None:
    done = clerk.must(*RUN, "2026-10", now="2026-11-01T12:00:00Z")
    assert (
        """
Blocked, or without a document
code        accounts  first  why
----------  --------  -----  --------------------
INCOMPLETE         4  acme   usage may be missing
Missing: GRACE_TIME 1
"""
        in done.stdout
    )
    assert "PERIOD_OPEN         4" in clerk.must(*RUN, "2027-06").stdout


def test_a_month_that_is_left_open_or_void_is_named_by_every_later_run(clerk: Clerk) -> None:
    clerk.subscribe(lost="nowhere,2026-09-01,")
    clerk.types(*RUN, "2026-09", "--finalize")
    clerk.must("void", "HM-2027-000001", "--reason", "wrong")
    told = clerk.types(*RUN, "2026-10").stdout
    assert told.endswith(
        """
Months that are still open
account_id  month    why
----------  -------  -----------------------
base        2026-09  void, and not run again
lost        2026-09  left open: PLAN_UNKNOWN

""".rstrip("\n")
        + "\n"
    )


def test_a_hold_fails_only_who_names_the_account(clerk: Clerk) -> None:
    clerk.must("invoice", "hold", "base", "--month", "2026-10", "--reason", "asked to wait")
    assert clerk.types(*RUN, "2026-10", "--finalize").returncode == 0
    said = clerk.told_by("invoice", "finalize", "2026-10.base", "--format", "json")
    assert "HELD: base: is held: asked to wait; see `invoice release`" in said


def test_usage_of_long_ago_is_unbilled_until_it_is_asked_for(clerk: Clerk) -> None:
    clerk.settings("[billing]\nadjust_months = 1\n")
    clerk.use("acme", "2026-01-05")
    clerk.use("idle", "2026-01-05")
    clerk.close("2026-01")
    clerk.use("acme", "2026-01-06", "2026-01-07")
    clerk.use("idle", "2026-01-06")
    asked = ("usage", "--month", "2026-01", "--unbilled")
    assert clerk.sees(*asked) == []  # the next run's month is no more than one later
    clerk.close("2026-02")
    clerk.use("acme", "2026-01-08")
    (row,) = clerk.sees(*asked)
    assert (row["account_id"], row["records"], row["reason"]) == ("acme", 1, "too_old")
    assert (
        """
Changed after it was closed and before 2026-02: charged only by --include-old
account_id  month    changed
----------  -------  -------
acme        2026-01  usage
"""
        in clerk.must(*RUN, "2026-03").stdout
    )
    why = ("--include-old", "asked for")
    (document,) = clerk.close("2026-03", "--account", "acme", *why)
    assert [line["amount"] for line in document["lines"]] == ["0.00", "1.00"]
    assert clerk.sees(*asked) == []


def test_what_was_corrected_or_told_late_is_never_too_long_ago(clerk: Clerk) -> None:
    clerk.settings("[billing]\nadjust_months = 0\n")
    for month in ("2026-01", "2026-02"):
        clerk.close(month)
    clerk.must("account", "end", "base", "--on", "2025-12-31")
    run = clerk.must(*RUN, "2026-03", "--finalize")
    assert "charged only by --include-old" not in run.stdout
    (document,) = clerk.sees("invoice", "list", "--month", "2026-03")[1:2]
    assert [line["amount"] for line in document["lines"]] == ["10.00", "10.00"]
    assert document["kind"] == "credit_note"


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)


def replace_by_another(file: Path) -> None:
    file.unlink()
    duckdb.sql("SELECT 1 AS one").write_parquet(str(file))


def replace_by_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def replace_by_the_next(file: Path) -> None:
    """Evidence, but of another run."""
    shutil.copy(file.with_name("run-000002.parquet"), file)


BROKEN = (cut, flip, replace_by_another, replace_by_a_folder, replace_by_the_next)


@pytest.fixture
def late(clerk: Clerk) -> Clerk:
    """January and February are closed, and usage of January came after that."""
    clerk.settings("[billing]\nadjust_months = 0\n")
    clerk.use("acme", "2026-01-05")
    for month in ("2026-01", "2026-02"):
        clerk.close(month)
    clerk.use("acme", "2026-01-06")
    return clerk


@pytest.mark.drawn(2)
@pytest.mark.parametrize("damage", [remove, *BROKEN])
def test_evidence_that_is_not_what_was_written_is_named(
    late: Clerk, damage: Callable[[Path], None]
) -> None:
    asked = ("usage", "--month", "2026-01", "--unbilled")
    assert [row["reason"] for row in late.sees(*asked)] == ["too_old"]
    file = late.home / "evidence" / "run-000001.parquet"
    damage(file)
    code = "EVIDENCE_MISSING" if damage is remove else "EVIDENCE_BROKEN"
    fault, summary = late.told_by(*asked).splitlines()
    assert fault.startswith(f"{code}: {file.name}: ")
    assert "put a copy of it back" in fault
    assert summary.startswith(f"{code}: what came too late for 2026-01 cannot be told")
    # A run reads no evidence of long ago: it is done, and its report is whole.
    run = late.must(*RUN, "2026-03", "--finalize")
    assert "acme        2026-01  usage" in report(run.stdout)


def test_all_evidence_that_is_not_what_was_written_is_named_at_once(late: Clerk) -> None:
    late.use("acme", "2026-02-06")
    late.close("2026-03", "--include-old", "asked for")
    late.close("2026-04")
    folder = late.home / "evidence"
    remove(folder / "run-000001.parquet")
    cut(folder / "run-000003.parquet")
    first, second, summary = late.told_by("usage", "--month", "2026-01", "--unbilled").splitlines()
    assert first.startswith("EVIDENCE_MISSING: run-000001.parquet: ")
    assert second.startswith("EVIDENCE_BROKEN: run-000003.parquet: ")
    assert summary.startswith("EVIDENCE_BROKEN: ")
