"""Closed documents taken apart again: whole ones are whole, and one change anywhere is named."""

import hashlib
import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest

from tests import command_line
from tests.command_line import shown_here as shown
from tests.command_line import usage_event
from tests.homes import HEADER, billed_home, copied, project
from warehouse import open_store

run = partial(command_line.run_here, user="ann", billing_grace_hours="0")
OF = "Name,a@a.example,DE,de"
ACCOUNTS = (
    f"{HEADER}acme,{OF},Europe/Berlin,EUR,p,2026-01-01,,2\nacme,{OF},Europe/Berlin,EUR,p,2026-09-11,,3\n"
    f"bold,{OF},America/New_York,EUR,p,2026-01-01,,1\n"
    f"solo,{OF},UTC,EUR,c,2026-09-01,,1\nidle,{OF},UTC,EUR,none,2026-01-01,2026-10-01,1\n"
)
BOOK = """\
book = "b"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "p"
name = "P"
commitment = { amount = 60 }
fee = [
{ code = "f", description = "F", amount = 9, timing = "advance", per = "seat" },
{ code = "g", description = "G", amount = 5, timing = "arrears" },
]
[[plan.charge]]
code = "talk"
description = "Talk"
meter = "participant"
measure = "duration"
unit = "minute"
model = "graduated"
tiers = [{ up_to = 60, unit_price = 0.1 }, { unit_price = 0.05 }]
included = 10
rounding = { scope = "record", quantum = 60, mode = "up" }
[[plan.charge]]
code = "peak"
description = "Peak"
meter = "participant"
also = true
measure = "peak"
model = "per_unit"
unit_price = 2
[[plan.charge]]
code = "dial"
description = "Dial-in"
meter = "dial_in"
measure = "duration"
unit = "minute"
model = "per_unit"
prices = { DE = 0.1, "*" = 0.2 }
[[plan]]
code = "c"
name = "C"
[[plan.charge]]
code = "talk"
description = "Talk"
meter = "participant"
measure = "duration"
unit = "minute"
model = "per_unit"
unit_price = 0.3
[[plan]]
code = "none"
name = "Nothing"
"""
Home = Path


def used(number: int, account: str, day: str, minutes: int, **told: Any) -> dict[str, Any]:
    """A call that began at noon of a day, such as 09-05."""
    start, end = (f"2026-{day}T12:{at:02}:00Z" for at in (0, minutes))
    return usage_event(number, account, start, end, **told)


def close(home: Home, month: str, now: str, *options: str) -> None:
    done = run(home, "invoice", "run", "--month", month, "--finalize", *options, now=now)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three months: late usage of two accounts, seats entered too late, items, prepaid credit, a
    concession, a correction, and a month that was void and run again.
    """
    folder = tmp_path_factory.mktemp("life")
    first = [
        *(used(n, "acme", f"09-{n:02}", 40) for n in range(1, 9)),
        *(used(20 + n, "bold", f"09-{n:02}", 30) for n in range(1, 4)),
        used(30, "acme", "09-05", 12, meter="dial_in", variant="FR"),
        used(31, "acme", "09-05", 7, meter="dial_in", variant="DE"),
        used(32, "solo", "09-05", 50),
    ]
    home = billed_home(folder, ACCOUNTS, BOOK, first)
    item = ("invoice", "item", "acme", "--description", "Day", "--amount", "45.005")
    assert run(home, *item, "--on", "2026-09-15", now="2026-09-20T00:00:00Z").returncode == 0
    paid = ("account", "credit", "bold", "20", "--expires", "2027-12-31", "--reference", "w")
    assert run(home, *paid, now="2026-09-20T00:00:00Z").returncode == 0
    accepted = ("--accept-incomplete", "test")
    close(home, "2026-09", "2026-10-03T00:00:00Z", *accepted)
    late = [
        used(40, "acme", "09-07", 44),
        used(41, "bold", "09-09", 59, meter="dial_in", variant="US"),
        *(used(50 + n, "acme", f"10-{n:02}", 25) for n in range(1, 4)),
        used(60, "solo", "10-05", 9),
    ]
    project(home, late)
    assert run(
        home, "account", "plan", "bold", "p", "--from", "2026-09-20", "--quantity", "4",
        now="2026-10-20T00:00:00Z",
    ).returncode == 0  # fmt: skip
    close(home, "2026-10", "2026-11-03T00:00:00Z", *accepted)
    numbers = {one["id"]: one["number"] for one in shown(home, "invoice", "list")}
    for kind, name, line in (
        ("concession", "2026-10.acme", "1=2"),
        ("correction", "2026-09.solo", "1=1"),
    ):
        words = ("credit-note", numbers[name], "--kind", kind, "--reason", "r", "--line", line)
        done = run(home, *words, now="2026-11-04T00:00:00Z")
        assert done.returncode == 0, done.stderr
    void = ("void", numbers["2026-09.acme"], "--reason", "v")
    done = run(home, *void, now="2026-11-05T00:00:00Z")
    assert done.returncode == 0, done.stderr
    close(home, "2026-09", "2026-11-06T00:00:00Z", *accepted)
    project(home, [used(70, "solo", "11-05", 9), used(71, "acme", "10-30", 55)])
    close(home, "2026-11", "2026-12-03T00:00:00Z", *accepted)
    return home


@pytest.fixture
def home(life: Home, tmp_path: Path) -> Home:
    """A copy to be spoilt."""
    return copied(life, tmp_path)


def number(home: Home, id: str) -> str:
    found = {one["id"]: one["number"] for one in shown(home, "invoice", "list")}
    return str(found[id])


def spoil(home: Home, sql: str, kind: str = "books") -> None:
    """`sql` as a stranger would run it, who changes something."""
    with open_store(home / f"{kind}.duckdb", kind).closing() as store:  # type: ignore[arg-type]
        before = store.value("SELECT count(*) FROM duckdb_tables()")
        store.execute(sql)
        assert store.value("SELECT count(*) FROM duckdb_tables()") == before


def rewrite(file: Path, columns: str, where: str = "TRUE") -> None:
    """A Parquet file with these columns replaced, that still says what it did of its run."""
    with duckdb.connect() as forger:
        kept = forger.execute(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{file}')"
            " WHERE decode(key) IN ('snapshot', 'overrides')"
        ).fetchall()
        quote = "'"
        told = ", ".join(f"{name}: '{text.replace(quote, quote * 2)}'" for name, text in kept)
        forger.execute(
            f"CREATE TABLE told AS SELECT * REPLACE ({columns}) FROM '{file}' WHERE {where}"
        )
        forger.execute(f"COPY told TO '{file}' (FORMAT parquet, KV_METADATA {{{told}}})")


def found(home: Home, *words: str, code: int = 1) -> list[tuple[str, str]]:
    """The faults and remarks that verification has: their codes and all they say."""
    done = run(home, "invoice", "verify", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    parts = (line.partition(": ") for line in done.stderr.splitlines())
    told = [(code, text) for code, _, text in parts if code.isupper() and code != "NOT_VERIFIED"]
    assert code == 0 or "NOT_VERIFIED: " in done.stderr
    return told


def test_a_whole_life_is_verified_and_late_usage_told(life: Home) -> None:
    done = run(life, "invoice", "verify", "--all", "--from-log", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    late = {row["document"] for row in rows if row["found"] == "late"}
    # Bold's late record is of a variant that the document has no line for.
    assert late == {number(life, f"2026-{of}") for of in ("09.acme", "09.bold", "10.acme")}
    assert {row["found"] for row in rows} == {"late", "whole"}
    assert len(rows) == 14
    assert {row["status"] for row in rows} == {"final", "nil", "void"}
    remarks = [line for line in done.stderr.splitlines() if line.startswith("RECORD_LATE")]
    assert [re.findall(r"00000000-0000-0000-0000-0{10}(..):", line) for line in remarks] == [
        ["28"],
        ["29"],
        ["47"],
    ]
    adjusting = (number(life, f"2026-{of}") for of in ("10.acme", "10.bold", "11.acme"))
    for remark, document in zip(remarks, adjusting, strict=True):
        assert remark.endswith(f"came after the document was made, and {document} adjusted it")
    kinds = {line["kind"] for one in shown(life, "invoice", "list") for line in one["lines"]}
    assert kinds == {"fee", "usage", "commitment", "adjustment", "item"}


def test_a_second_of_a_stored_record_is_named(home: Home) -> None:
    """The record is on an own line, and on the adjustment of a later document."""
    sql = "UPDATE usage_records SET last_seen = last_seen + INTERVAL 1 SECOND WHERE record_id = "
    spoil(home, f"{sql}'{UUID(int=32)}'", "usage")
    name = number(home, "2026-09.solo")
    ((code, text),) = found(home, name, "--from-log")
    assert code == "RECORD_BROKEN"
    assert text == (
        f"{name} record {UUID(int=32)}: last_seen is 2026-09-05T12:50:00Z in the evidence, "
        "2026-09-05T12:50:01Z in the usage store (2026-09.solo.0001)"
    )


def test_a_record_taken_out_of_the_store_or_put_in_is_named(home: Home) -> None:
    first = f"'{UUID(int=32)}'"
    spoil(
        home,
        f"""INSERT INTO usage_records SELECT * REPLACE ('{UUID(int=99)}'::UUID AS record_id)
        FROM usage_records WHERE record_id = {first}""",
        "usage",
    )
    spoil(home, f"DELETE FROM usage_records WHERE record_id = {first}", "usage")
    gone, more = found(home, number(home, "2026-09.solo"))
    assert (gone[0], more[0]) == ("RECORD_BROKEN", "RECORD_BROKEN")
    assert str(UUID(int=32)) in gone[1]
    assert "is in the evidence, and not in the usage store" in gone[1]
    assert str(UUID(int=99)) in more[1]
    assert "is not in the evidence, but in the usage store" in more[1]


def test_a_withdrawn_record_is_late_and_told_as_such(home: Home) -> None:
    project(home, [used(32, "solo", "09-05", 50, phase="CANCEL")])
    ((code, text),) = found(home, number(home, "2026-09.solo"), code=0)
    assert (code, "withdrawn in the usage store" in text) == ("RECORD_LATE", True)
    assert text.endswith("; it came after the document was made, and will be adjusted")
    close(home, "2026-12", "2027-01-03T00:00:00Z", "--accept-incomplete", "test")
    ((_, text),) = found(home, number(home, "2026-09.solo"), code=0)
    assert text.endswith(f"and {number(home, '2026-12.solo')} adjusted it")
    project(home, [used(80, "solo", "09-05", 9)])
    *_, (_, text) = found(home, number(home, "2026-09.solo"), code=0)
    assert text.endswith("and will be adjusted")


def test_a_record_that_came_into_conflict_is_told_as_such(home: Home) -> None:
    """It was told of one meeting when its month was closed, and of two since."""
    project(home, [used(32, "solo", "09-05", 50, meeting_id="m2")])
    ((code, text),) = found(home, number(home, "2026-09.solo"), code=0)
    assert code == "RECORD_LATE"
    assert "is in the evidence, and in conflict in the usage store (2026-09.solo.0001)" in text
    assert text.endswith("and will be adjusted once `usage cancel` settles it")


def test_a_month_that_was_void_is_billed_anew_with_what_came_late(home: Home) -> None:
    name = number(home, "2026-11.solo")
    project(home, [used(80, "solo", "11-07", 9)])
    voided = run(home, "void", name, "--reason", "v", now="2026-12-05T00:00:00Z")
    assert voided.returncode == 0, voided.stderr
    close(home, "2026-11", "2026-12-06T00:00:00Z", "--accept-incomplete", "test")
    ((code, text),) = found(home, name, code=0)
    assert code == "RECORD_LATE"
    newest = max(one["number"] for one in shown(home, "invoice", "list", "--month", "2026-11"))
    assert text.endswith(f"and {newest} billed the month anew")


def test_a_second_in_the_evidence_is_named(home: Home) -> None:
    """Even if its hash was forged too: the line comes out otherwise, and the log says so."""
    (file,) = {path for path in (home / "evidence").iterdir() if "000002" in path.name}
    change = "CASE WHEN record_id LIKE '%29' THEN last_seen + INTERVAL 61 SECOND ELSE last_seen END"
    rewrite(file, f"{change} AS last_seen")
    name = number(home, "2026-10.bold")
    codes = [code for code, _ in found(home, name, "--from-log")]
    told = ["LINE_DIFFERS", "LINE_DIFFERS", "RECORD_BROKEN", "RECORD_BROKEN"]
    assert codes == ["EVIDENCE_BROKEN", *told]
    spoil(
        home, f"UPDATE invoices SET evidence_sha256 = '{sums(file)[name]}' WHERE number = '{name}'"
    )
    assert [code for code, _ in found(home, name, "--from-log")] == told
    assert [code for code, _ in found(home, "--month", "2026-10")].count("EVIDENCE_BROKEN") == 1
    file.write_bytes(file.read_bytes()[:-9])
    assert {code for code, _ in found(home, name)} == {"EVIDENCE_BROKEN"}
    file.unlink()
    assert {code for code, _ in found(home, name)} == {"EVIDENCE_MISSING"}


def sums(file: Path) -> dict[str, str]:
    """By number, what docs/proving.md says is hashed, without DuckDB's JSON."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect() as reader:
        for row in reader.execute(
            f"""SELECT * REPLACE (
                epoch_us(started_at) AS started_at, epoch_us(last_seen) AS last_seen
            ) FROM '{file}'"""
        ).fetchall():
            rows.setdefault(row[0], []).append(row)
    return {name: _sha256(found) for name, found in rows.items()}


def _sha256(rows: list[tuple[Any, ...]]) -> str:
    texts = (json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows)
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def test_the_hash_of_rows_is_what_an_auditor_computes(life: Home) -> None:
    with open_store(life / "books.duckdb", "books").closing() as books:
        kept = dict(
            books.rows("SELECT number, evidence_sha256 FROM invoices WHERE evidence_rows > 0")
        )
    told: dict[str, str] = {}
    for path in (life / "evidence").iterdir():
        told |= sums(path)
    assert len(kept) > 5
    assert told == kept


def test_a_price_of_a_stored_book_is_named(home: Home) -> None:
    spoil(
        home,
        """UPDATE price_books SET content = replace(
            content, 'up_to = 60, unit_price = 0.1', 'up_to = 60, unit_price = 0.2')""",
    )
    name = number(home, "2026-10.bold")
    faults = found(home, name)
    assert faults[0][0] == "BOOK_BROKEN"
    assert faults[0][1].startswith("b of 2026-01-01: the stored book is not what was loaded")
    lines = [text for code, text in faults if code == "LINE_DIFFERS"]
    assert any(
        "tiers the first 60 at 0.10, above 60 at 0.05 EUR, by the book the first 60 at 0.20," in one
        for one in lines
    )
    assert all(one.startswith(f"{name} line 2026-10.bold.0") for one in lines)
    assert {code for code, _ in faults} == {"BOOK_BROKEN", "LINE_DIFFERS"}


def test_a_tier_and_a_discount_that_differ_are_told_as_the_document_has_them(home: Home) -> None:
    spoil(
        home,
        """UPDATE invoice_lines SET discount = -500000000000, tiers = list_transform(
            tiers, lambda tier: {
                'quantity': tier.quantity, 'flat': tier.flat, 'amount': tier.amount * 2
            }
        ) WHERE invoice = '2026-09.solo' AND kind = 'usage'""",
    )
    ((code, text),) = found(home, number(home, "2026-09.solo"))
    assert code == "LINE_DIFFERS"
    assert text.partition(": ")[2] == (
        "talk: tiers 50 minutes at 0.30 make 30.00 EUR, by the evidence 50 minutes at 0.30 make "
        "15.00 EUR; discount -833.33333333 EUR, by the evidence 0.00 EUR"
    )


@pytest.mark.drawn(3)
@pytest.mark.parametrize(
    ("document", "change", "codes"),
    [
        ("2026-09.solo", "UPDATE invoice_lines SET amount = amount + 1 WHERE invoice = '{id}'",
         "DOCUMENT HEAD LINE"),
        ("2026-10.bold", "UPDATE invoice_lines SET owed = owed + 1, charged = charged + 1 "
         "WHERE invoice = '{id}' AND kind = 'adjustment'", "DOCUMENT LINE"),
        ("2026-10.bold", "UPDATE invoice_lines SET own = own + 1 WHERE invoice = '{id}' "
         "AND kind = 'usage' AND line = 2", "LINE"),
        ("2026-09.acme", "DELETE FROM invoice_lines WHERE invoice = '{id}' AND line = 1",
         "DOCUMENT HEAD LINE"),
        ("2026-09.acme#3", "UPDATE invoice_lines SET amount = amount + 1 WHERE invoice = '{id}' "
         "AND kind = 'item'", "DOCUMENT HEAD LINE"),
        ("2026-09.bold", "UPDATE periods SET zone = 'UTC' WHERE invoice = '{id}'", "HEAD LINE"),
        ("2026-09.bold", "UPDATE invoices SET prepaid = prepaid + 1", "DOCUMENT HEAD"),
        ("2026-09.solo", "UPDATE invoice_lines SET amount = amount * 100 "
         "WHERE invoice LIKE '2026-09.solo#%'", "CREDIT"),
    ],
)  # fmt: skip
def test_a_change_of_the_books_is_named(home: Home, document: str, change: str, codes: str) -> None:
    name = number(home, document)
    spoil(home, change.format(id=document))
    faults = [one for one in found(home, name) if one[0] != "RECORD_LATE"]
    assert {code for code, _ in faults} == {f"{code}_DIFFERS" for code in codes.split()}
    assert all(text.startswith(name) for _, text in faults)


@pytest.mark.drawn(4)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE periods SET history = 'x' WHERE invoice = '{id}'",
        "UPDATE periods SET month = 'x' WHERE invoice = '{id}' AND month <> '2026-11'",
        "UPDATE runs SET snapshot = NULL WHERE month = '2026-11'",
        "UPDATE runs SET evidence = NULL WHERE month = '2026-11'",
        "UPDATE invoices SET account_id = NULL WHERE id = '{id}'",
        "UPDATE invoices SET run = 99 WHERE id = '{id}'",
        "UPDATE invoices SET status = 'paid' WHERE id = '{id}'",
        "UPDATE invoices SET voided = 1 WHERE id = '{id}'",
        "UPDATE invoices SET evidence_rows = NULL WHERE id = '{id}'",
        "UPDATE invoices SET subtotal = NULL WHERE id = '{id}'",
        "UPDATE invoice_lines SET tiers = NULL WHERE invoice = '{id}'",
        "UPDATE terms SET content = 'x' WHERE term IN (SELECT term FROM invoice_lines WHERE"
        " invoice = '{id}')",
    ],
)
def test_what_makes_no_sense_is_named_and_hides_nothing_else(home: Home, change: str) -> None:
    """Values that nothing can read, or that say of a document that nothing is to be proved."""
    name, other = number(home, "2026-11.solo"), number(home, "2026-09.bold")
    spoil(home, "UPDATE invoice_lines SET own = own + 1 WHERE invoice = '2026-09.bold'")
    spoil(home, change.format(id="2026-11.solo"))
    told = [text for _, text in found(home, "2026-11.solo", "2026-09.bold")]
    assert any(text.startswith(other) for text in told), told
    named = (name, "2026-11.solo", *(["evidence of act"] if "runs" in change else []))
    assert any(text.startswith(named) for text in told), told


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("snapshot = replace(snapshot, '[', '[ ')", "what was known of usage"),
        ("overrides = '{}'", "the reasons given"),
        ("finalized_us = finalized_us - 1", "when it was"),
    ],
)
def test_a_change_of_what_a_run_was_told_is_named(home: Home, change: str, what: str) -> None:
    spoil(home, f"UPDATE runs SET {change} WHERE month = '2026-11'")
    ((code, text),) = found(home, number(home, "2026-11.solo"))
    assert code == "RUN_DIFFERS"
    assert f": {what} is not in the books" in text


def test_a_closed_document_that_became_a_draft_is_named(home: Home) -> None:
    spoil(home, "UPDATE invoices SET status = 'draft' WHERE id = '2026-11.solo'")
    assert any(text.endswith("closed it") for _, text in found(home, "--all", "--no-documents"))


def test_a_change_of_terms_is_named(home: Home) -> None:
    spoil(home, "UPDATE terms SET content = replace(content, '0.05', '0.06')")
    faults = found(home, number(home, "2026-10.bold"))
    assert {code for code, _ in faults} == {"TERMS_BROKEN"}


def test_without_its_book_a_document_is_not_derived(home: Home) -> None:
    spoil(home, "DELETE FROM price_books")
    gone, underived = found(home, number(home, "2026-10.solo"))
    assert gone[0] == "BOOK_GONE"
    assert underived[0] == "NOT_DERIVED"
    assert underived[1].startswith("solo: cannot be derived again: PLAN_UNKNOWN: ")


def test_numbers_and_the_audit_trail_are_looked_through(home: Home) -> None:
    name = number(home, "2026-10.solo")
    spoil(home, f"UPDATE invoices SET number = 'HM-2026-000099' WHERE number = '{name}'")
    spoil(home, "UPDATE audit_trail SET who = 'bob' WHERE entry = 2")
    shutil.copy(home / "documents" / f"{name}.pdf", home / "documents" / "HM-2026-000099.pdf")
    codes = {code for code, _ in found(home, "--all")}
    assert {"AUDIT_BROKEN", "NUMBER_MISSING", "NUMBER_UNKNOWN", "DOCUMENT_DIFFERS"} <= codes


def test_a_byte_of_a_document_is_named(home: Home) -> None:
    name = number(home, "2026-09.solo")
    path = home / "documents" / f"{name}.pdf"
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    assert found(home, name) == [
        (
            "DOCUMENT_DIFFERS",
            f"{name}: {name}.pdf is not what the frozen document makes, byte for byte",
        )
    ]
    assert found(home, name, "--no-documents", code=0) == []
    path.unlink()
    ((code, _),) = found(home, name, code=0)
    assert code == "DOCUMENT_MISSING"


def test_what_the_log_no_longer_holds_is_gone_and_never_verified(home: Home) -> None:
    segments = sorted(path for path in (home / "journal").rglob("*.avro") if "usage" in str(path))
    for one in segments:
        one.unlink()
    name = number(home, "2026-09.solo")
    done = run(home, "invoice", "verify", name, "--from-log")
    assert done.returncode == 1
    assert "LOG_GONE: meetings.usage[" in done.stderr
    assert "log gone" in done.stdout
    assert "verified" not in done.stderr.replace("NOT_VERIFIED", "")
    assert found(home, name, code=0) == []  # all but the log is there


def test_what_was_forged_in_store_and_evidence_the_log_tells(home: Home) -> None:
    """And nothing else can: store, evidence, its hash, line and sums agree."""
    (file,) = {path for path in (home / "evidence").iterdir() if "000001" in path.name}
    number_of = number(home, "2026-09.solo")
    at = "record_id LIKE '%20' AND account_id = 'solo'"
    rewrite(
        file, f"CASE WHEN {at} THEN last_seen + INTERVAL 1 SECOND ELSE last_seen END AS last_seen"
    )
    sql = "UPDATE usage_records SET last_seen = last_seen + INTERVAL 1 SECOND WHERE record_id = "
    spoil(home, f"{sql}'{UUID(int=32)}'", "usage")
    with open_store(home / "books.duckdb", "books").closing() as books:
        told = [sums(file)[number_of], number_of]
        books.execute("UPDATE invoices SET evidence_sha256 = ? WHERE number = ?", told)
        books.execute(
            "UPDATE invoice_lines SET quantity = quantity + 1000000 WHERE invoice = '2026-09.solo'"
        )
    done = found(home, number_of, "--from-log", "--no-documents")
    assert [code for code, _ in done if code == "RECORD_BROKEN"] == ["RECORD_BROKEN"]
    assert any("in the log" in text for _, text in done)


def test_an_adjustment_that_was_taken_out_is_missed(home: Home) -> None:
    """With its evidence, its hash and the sum: what is left proves itself."""
    (file,) = {path for path in (home / "evidence").iterdir() if "000007" in path.name}
    name = number(home, "2026-11.solo")
    rewrite(file, "invoice AS invoice", "lines <> [2]")
    with open_store(home / "books.duckdb", "books").closing() as books:
        gone = "invoice = '2026-11.solo' AND kind = 'adjustment'"
        ((amount,),) = books.rows(f"SELECT amount FROM invoice_lines WHERE {gone}")
        books.execute(f"DELETE FROM invoice_lines WHERE {gone}")
        books.execute(
            """UPDATE invoices SET subtotal = subtotal - ?, evidence_rows = 1, evidence_sha256 = ?
            WHERE number = ?""",
            [amount, sums(file)[name], name],
        )
    told = f"{name}: an adjustment of talk of 2026-09 is missing: 1.00 EUR by"
    assert found(home, name, "--no-documents", "--from-log") == [
        ("LINE_MISSING", f"{told} the usage store"),
        ("LINE_MISSING", f"{told} the log"),
    ]


def test_what_cannot_be_verified_is_refused(home: Home) -> None:
    done = run(home, "invoice", "verify", "HM-1", "HM-2")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-3:] == [
        "INVOICE_UNKNOWN: HM-1: there is no such document",
        "INVOICE_UNKNOWN: HM-2: there is no such document",
        "INVOICE_UNKNOWN: nothing was verified",
    ]
    run(home, "invoice", "run", "--month", "2026-12", now="2027-01-03T00:00:00Z")
    done = run(home, "invoice", "verify", "2026-12.acme")
    assert (done.returncode, "NOT_FINAL: 2026-12.acme" in done.stderr) == (1, True)
    assert run(home, "invoice", "verify").returncode == 2
    assert run(home, "invoice", "verify", "HM-1", "--from", "kafka").returncode == 2


def cut_out(home: Home, name: str, line: int, file: Path) -> None:
    """A line and its records, from document and evidence alike, so that they prove each other."""
    rewrite(file, "invoice AS invoice", f"number <> '{name}' OR lines <> [{line}]")
    with open_store(home / "books.duckdb", "books").closing() as books:
        (id,) = (one for (one,) in books.rows("SELECT id FROM invoices WHERE number = ?", [name]))
        of_line = "invoice = ? AND line = ?"
        amount = books.value(f"SELECT amount FROM invoice_lines WHERE {of_line}", [id, line])
        books.execute(f"DELETE FROM invoice_lines WHERE {of_line}", [id, line])
        books.execute(
            """UPDATE invoices SET subtotal = subtotal - ?, evidence_rows = evidence_rows - 1,
            evidence_sha256 = ? WHERE id = ?""",
            [amount, sums(file)[name], id],
        )


def test_usage_cut_out_of_document_and_evidence_is_missed(home: Home) -> None:
    """Of a variant: the document need not have a line for it; and the log knows better."""
    (file,) = {path for path in (home / "evidence").iterdir() if "000001" in path.name}
    with duckdb.connect() as reader:
        alone = f"SELECT lines[1] FROM '{file}' GROUP BY lines[1] HAVING count(*) = 1"
        name, record, line = reader.execute(
            f"""SELECT number, record_id, lines[1] FROM '{file}'
            WHERE variant IS NOT NULL AND len(lines) = 1 AND lines[1] IN ({alone})
            ORDER BY record_id LIMIT 1"""
        ).fetchall()[0]
    cut_out(home, name, line, file)
    told = [text for code, text in found(home, name, "--from-log", "--no-documents")]
    for source in ("the usage store", "the log"):
        assert any(f"record {record}" in text and f"in {source}" in text for text in told), told


def test_a_document_that_the_books_lost_is_named_by_what_is_left_of_it(home: Home) -> None:
    """The last of its series, with its counter."""
    with open_store(home / "books.duckdb", "books").closing() as books:
        ((id, name),) = books.rows(
            """SELECT id, number FROM invoices WHERE number LIKE 'HM-%' AND evidence_rows > 0
            ORDER BY number DESC LIMIT 1"""
        )
        of = {"invoices": "id", "invoice_lines": "invoice", "periods": "invoice"}
        for table, column in of.items():
            books.execute(f"DELETE FROM {table} WHERE {column} = ?", [id])
    told = found(home, "--all", "--no-documents")
    gone = [text for code, text in told if code == "DOCUMENT_GONE"]
    assert any(text.startswith(f"{name}: has records in run-") for text in gone), told
    assert any(text.startswith(f"{name}.pdf: is there") for text in gone), told


@pytest.mark.drawn(2)
@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ("NULL::INTEGER[] AS lines", "TRUE"),
        ("['x'] AS chargeable", "TRUE"),
        ("'zz' AS record_id", "TRUE"),
        ("NULL::TIMESTAMP AS started_at", "TRUE"),
        ("invoice AS invoice", "account_id <> 'acme'"),
        ("list_transform(chargeable, lambda one: '126000000') AS chargeable", "TRUE"),
        ("12 AS lines", "TRUE"),
        (None, None),
    ],
)
def test_evidence_of_any_shape_is_broken_and_stops_nothing(
    home: Home, columns: str | None, where: str | None
) -> None:
    (file,) = {path for path in (home / "evidence").iterdir() if "000001" in path.name}
    if columns is None:
        data = bytearray(file.read_bytes())
        data[len(data) // 3] ^= 0x10
        file.write_bytes(data)
    else:
        rewrite(file, columns, where or "TRUE")
    name = number(home, "2026-09.acme")
    told = found(home, "--month", "2026-09", "--no-documents")
    assert any(code == "EVIDENCE_BROKEN" for code, _ in told), told
    for words in (("explain", name), ("statement", name), ("find", "--meeting", "m1")):
        done = run(home, "invoice", *words)
        assert "Traceback" not in done.stderr
        assert words[0] == "find" or done.returncode == 1, (words, done.stderr)


def test_what_was_not_compared_is_not_called_whole(home: Home) -> None:
    (home / "usage.duckdb").unlink()
    done = run(home, "invoice", "verify", number(home, "2026-09.solo"), "--format", "json")
    assert done.returncode == 1
    assert [row["found"] for row in json.loads(done.stdout)] == ["not compared"]


LOADED = """
import sys, cli
try:
    cli.run()
except SystemExit as ended:
    assert not ended.code
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("word", ["verify", "explain"])
def test_a_document_is_proved_without_what_reads_the_log(life: Home, word: str) -> None:
    """And without what libraries load in case: each is a tenth of a second of every answer."""
    name = number(life, "2026-09.solo")
    done = command_line.python(LOADED, "--home", life, "invoice", word, name)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {"billing.books", "duckdb", "pyarrow"} <= loaded
    log = {"eventlog", "schemas", "consumers", "kafka", "fastavro"}
    unwanted = {"pandas", "pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet"}
    assert not loaded & (log | unwanted)
