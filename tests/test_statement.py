"""The customer's list adds up to the invoice, however usage is measured and rounded."""

import random
import shutil
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from billing import open_books
from billing.measured import shown
from billing.proven_lines import prove
from billing.statement import COLUMNS, By, statement
from edge import Settings, load_settings
from tests.billed import MIDDLE_US, bill, fill_books, record, store_usage
from tests.command_line import shown_here
from tests.every_line import documents, run
from tests.test_no_float import ACCOUNTS, book

WAYS: Final[tuple[By | None, ...]] = (None, "meeting", "day")
HOUR_US: Final = 3_600_000_000


def sums(rows: Iterable[Mapping[str, Any]]) -> dict[int, Decimal]:
    """The quantity of each line's rows together; lines without any are left out."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["quantity"]:
            found[row["line"]] += Decimal(row["quantity"])
    return found


def quantities(document: Mapping[str, Any]) -> dict[int, Decimal]:
    """As the document has them."""
    return {
        number: Decimal(line["quantity"])
        for number, line in enumerate(document["lines"], 1)
        if line["quantity"]
    }


@pytest.fixture
def home(every_home: Path) -> Path:
    return every_home


@pytest.fixture
def copy(every_home: Path, tmp_path: Path) -> Path:
    """For tests that change something."""
    shutil.copytree(every_home, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.mark.parametrize("by", WAYS)
def test_every_line_of_every_document_adds_up(home: Path, by: By | None) -> None:
    asked = ("--by", by) if by else ()
    for document in documents(home).values():
        rows = shown_here(home, "invoice", "statement", document["number"], *asked)
        assert {row["line"] for row in rows} == set(range(1, len(document["lines"]) + 1))
        assert {n: total for n, total in sums(rows).items() if total} == {
            n: total for n, total in quantities(document).items() if total
        }
        assert all(tuple(row) == COLUMNS for row in rows)


def test_it_says_what_was_used_in_the_accounts_own_time(home: Path) -> None:
    number = documents(home)["acme", "2026-10"]["number"]
    by_meeting = run(home, "invoice", "statement", number, "--by", "meeting", "--format", "csv")
    rows = by_meeting.stdout.splitlines()
    assert rows[0] == "line,date,meeting,meter,variant,records,time,quantity,unit,note"
    assert rows[1:6] == [
        "1,,,,,,,3,seat,Team seats: a fee: it counts no usage",
        "2,2026-10-05,m1,participant,,2,25:00:00,1500,minute,",
        "3,2026-10-05,m1,meeting,,2,2:00:00,,participant,",
        "3,,,,,,,2,participant,the most open at once",
        "4,2026-10-05,m1,recording,,1,1:00:00,117.25,GB,",
    ]
    first = shown_here(home, "invoice", "statement", number)[1]
    assert first["date"] == "2026-10-05T12:00:00+02:00"


def test_no_server_and_no_place_is_told(home: Path) -> None:
    for document in documents(home).values():
        told = run(home, "invoice", "statement", document["number"], "--format", "json").stdout
        assert "fra-1" not in told
        assert "offset" not in told
        other = {"acme": "moves", "moves": "acme"}[document["account_id"]]
        assert other not in told


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Settings:
    """An account billed by every measure and rounding, for usage that no unit divides."""
    print(f"HOMEMEETING_SEED={seed} repeats this")
    settings = load_settings(tmp_path_factory.mktemp("drawn"), {"HOMEMEETING_USER": "clerk"})
    store_usage(settings, _records(random.Random(f"{seed}/statement"), "a", 250))
    fill_books(settings, [book()], ACCOUNTS)
    assert bill(settings).faults == []
    return settings


def _records(rng: random.Random, account: str, count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        start = MIDDLE_US + rng.randrange(-14 * 24, 11 * 24) * HOUR_US + rng.randrange(HOUR_US)
        again = uuid.UUID(int=rng.randrange(1, count + 1)) if rng.random() < 0.2 else None
        yield record(
            number, account, start=start, length=rng.randrange(3 * HOUR_US),
            meeting_id=f"m{rng.randrange(20)}", variant=rng.choice([None, "DE", "US"]),
            participant_id=rng.choice([None, "p1", "p2", "p3"]), continues=again,
            quantity=rng.choice([None, 0, 1, 10, 777, 31_415]), stopped=rng.random() < 0.8,
        )  # fmt: skip


@pytest.mark.parametrize("by", WAYS)
def test_every_measure_and_rounding_adds_up(drawn: Settings, by: By | None) -> None:
    with open_books(drawn) as books:
        proof = prove(books, drawn, "2026-10.a")
    rows = list(statement(proof.lines, proof.zone, by))
    wanted = quantities(proof.document)
    assert {n: total for n, total in sums(rows).items() if total} == {
        n: total for n, total in wanted.items() if total
    }
    assert len(wanted) > 10
    assert not proof.faults
    notes = {row["note"] for row in rows}
    assert {
        "the most open at once", "different participants", "the largest counts alone",
        "rounding of what each participant has in a meeting",
    } <= notes  # fmt: skip


def test_every_record_of_a_line_is_in_its_list(drawn: Settings) -> None:
    with open_books(drawn) as books:
        proof = prove(books, drawn, "2026-10.a")
        counts = books.rows("SELECT line, records FROM invoice_lines WHERE records > 0")
    by_day = list(statement(proof.lines, proof.zone, "day"))
    told: dict[int, int] = defaultdict(int)
    for row in by_day:
        told[row["line"]] += row["records"] or 0
    assert {n: count for n, count in told.items() if count} == dict(counts)


@pytest.mark.parametrize(
    ("parts", "unit", "wanted"),
    [
        ([1, 1, 1], 3, ["0.333333333333", "0.333333333334", "0.333333333333"]),
        ([2, None, -1], 3, ["0.666666666667", "", "-0.333333333334"]),
        ([1, 1], 6, ["0.166666666667", "0.166666666666"]),
        ([1, 2], 4, ["0.25", "0.5"]),
        ([1, 10**14 - 1], 10**14, ["0.00000000000001", "0.99999999999999"]),
        ([], 7, []),
    ],
)
def test_what_no_decimal_is_equal_to_is_carried(
    parts: list[int | None], unit: int, wanted: list[str]
) -> None:
    assert list(shown(parts, unit)) == wanted


def test_a_draft_says_that_it_keeps_no_records(copy: Path) -> None:
    run(copy, "invoice", "run", "--month", "2026-12", now="2026-12-20T00:00:00Z")
    rows = shown_here(copy, "invoice", "statement", "2026-12.acme")
    assert any("a draft keeps no records" in row["note"] for row in rows)


def test_changed_evidence_is_said_and_missing_evidence_refused(copy: Path) -> None:
    number = documents(copy)["acme", "2026-10"]["number"]
    (file, *_) = sorted((copy / "evidence").iterdir())
    whole = file.rename(file.with_suffix(".whole"))
    gone = run(copy, "invoice", "statement", number)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "EVIDENCE_MISSING" in gone.stderr
    with open_books(load_settings(copy, {"HOMEMEETING_USER": "clerk"})) as books:
        books.execute(
            f"""COPY (SELECT * REPLACE (last_seen + INTERVAL 1 SECOND AS last_seen)
            FROM read_parquet($whole)) TO '{file}' (FORMAT parquet)""",
            {"whole": str(whole)},
        )
    told = run(copy, "invoice", "statement", number)
    assert told.returncode == 1
    assert "EVIDENCE_BROKEN: 2026-10.acme: " in told.stderr


@pytest.mark.parametrize(("asked", "records"), [("--meeting", 2), ("--record", 1)])
def test_a_meeting_and_a_record_find_their_documents(home: Path, asked: str, records: int) -> None:
    name = "m1" if asked == "--meeting" else str(uuid.UUID(int=100))
    found = shown_here(home, "invoice", "find", asked, name)
    all_documents = {one["number"]: one for one in documents(home).values()}
    wanted = {"m1": {"acme", "moves"}, str(uuid.UUID(int=100)): {"moves"}}[name]
    assert {one["account_id"] for one in found} == wanted
    minutes = [one for one in found if one["code"] == "minutes"]
    assert {one["records"] for one in minutes} == {records}
    for one in found:
        assert one["line"] in {line["id"] for line in all_documents[one["number"]]["lines"]}
        assert (one["id"], one["status"]) == (all_documents[one["number"]]["id"], "final")


def test_what_was_charged_nowhere_is_not_found(home: Path) -> None:
    told = run(home, "invoice", "find", "--meeting", "nowhere")
    assert (told.returncode, told.stdout) == (0, "")
    assert "no final document has charged meeting nowhere" in told.stderr
    assert run(home, "invoice", "find").returncode == 2
    assert run(home, "invoice", "find", "--record", "x").returncode == 2


def test_a_file_that_is_missing_is_named_by_find(copy: Path) -> None:
    (first, *_) = sorted((copy / "evidence").iterdir())
    first.unlink()
    told = run(copy, "invoice", "find", "--meeting", "m1")
    assert told.returncode == 1
    assert f"EVIDENCE_MISSING: {first.name}" in told.stderr
    assert "2026-11.moves" in told.stdout
