"""Papers made again: the same bytes, on one core or on all, what cannot be made named alone."""

from pathlib import Path

import pytest

from billing import list_heads, open_books
from billing.document import documents
from billing.month import Month
from billing.printing import print_papers
from edge.settings import load_settings
from tests import command_line
from tests.clerk import HEADER, Clerk
from tests.pdf_text import pdf_rows
from tests.test_tax import BUYERS, SELLER, join
from tests.test_verify import LOADED


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Clerk:
    clerk = Clerk(tmp_path_factory.mktemp("october"), "2026-12-10T09:00:00Z")
    clerk.settings(SELLER)
    join(clerk, **{name: BUYERS[name] for name in ("home", "works", "far")})
    for name in ("home", "works", "far"):
        clerk.use(name, "2026-10-05", "2026-10-06")
    clerk.close("2026-10")
    return clerk


@pytest.fixture
def clerk(begun: Clerk, tmp_path: Path) -> Clerk:
    return begun.copied(tmp_path)


def papers_of(clerk: Clerk) -> dict[str, bytes]:
    folder = clerk.home / "documents"
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*.*")}


def test_what_is_rendered_again_is_the_same(clerk: Clerk) -> None:
    before = papers_of(clerk)
    assert sorted(before) == [
        "HM-2026-000001.pdf", "HM-2026-000002.pdf", "HM-2026-000002.xml", "HM-2026-000003.pdf",
        "HM-2026-000003.xml",
    ]  # fmt: skip
    for path in (clerk.home / "documents").iterdir():
        path.write_bytes(b"spoilt") if "2" in path.stem[-1] else path.unlink()
    rows = clerk.sees("invoice", "render", "--month", "2026-10")
    assert papers_of(clerk) == before
    (far,) = [row for row in rows if row["account_id"] == "far"]
    reasons = clerk.sees("invoice", "show", far["number"])["no_electronic_invoice"]
    assert [one["code"] for one in reasons] == ["NO_REGISTRATION"]
    (why,) = (one["message"] for one in reasons)
    assert (far["ubl"], far["note"]) == (None, f"no electronic invoice: {why}")
    told = clerk.must("invoice", "show", far["number"]).stdout
    assert f"\nNo electronic invoice: {why}\n" in told
    assert clerk.sees("invoice", "show", "HM-2026-000003")["no_electronic_invoice"] == []
    assert clerk.sees("invoice", "render", "HM-2026-000003") == [
        row for row in rows if row["number"] == "HM-2026-000003"
    ]
    clerk.must("invoice", "verify", "--all")


def test_on_all_cores_they_are_the_same_as_on_one(clerk: Clerk, tmp_path: Path) -> None:
    with open_books(load_settings(clerk.home, {}), make=False) as books:
        heads = list_heads(books, Month(2026, 10))
        (one, *_) = documents(books, [heads[0]["id"]])
    many = [{**one, "number": f"HM-2026-{n:06}"} for n in range(1, 131)]
    folders = {}
    for name, count in (("alone", 1), ("together", len(many))):
        home = load_settings(tmp_path / name, {})
        done: list[int] = []
        assert print_papers(home, ((one, None) for one in many), count, done.append) == []
        assert sum(done) == len(many)
        folders[name] = {path.name: path.read_bytes() for path in home.documents.iterdir()}
    assert folders["alone"] == folders["together"]


def test_what_no_font_has_is_named_and_stops_nobody(clerk: Clerk) -> None:
    row = 'odd,"A \U00012000 <b>*x*</b>",o@a.example,DE,en,Europe/Berlin,EUR,p,2026-10-01,'
    clerk.must("account", "import", clerk.file("odd.csv", f"{HEADER}\n{row}\n"))
    clerk.use("odd", "2026-10-05")
    said = clerk.must("invoice", "run", "--month", "2026-10", "--finalize").stderr
    assert "GLYPH_MISSING: HM-2026-000004: U+12000" in said
    assert (clerk.home / "documents" / "HM-2026-000004.pdf").exists()
    clerk.must("invoice", "verify", "--all")


def test_with_what_was_used_behind_it(clerk: Clerk) -> None:
    before = papers_of(clerk)
    (row,) = clerk.sees("invoice", "render", "HM-2026-000002", "--annex")
    after = papers_of(clerk)
    assert before == {name: one for name, one in after.items() if "/" not in name}
    text = " ".join(pdf_rows(after["annexed/HM-2026-000002.pdf"]))
    assert row["pdf"].endswith("annexed/HM-2026-000002.pdf") and "2026-10-06 14:00:00" in text
    clerk.must("invoice", "verify", "--all")


def test_who_names_what_has_no_papers_is_told(clerk: Clerk) -> None:
    clerk.use("home", "2026-11-05")
    clerk.must("invoice", "run", "--month", "2026-11")
    assert clerk.told_by("invoice", "render", "2026-11.home", "HM-1").startswith(
        "INVOICE_UNKNOWN: HM-1: there is no such document\n"
        "NOT_FINAL: 2026-11.home: is draft: what has no number has no papers\n"
    )
    assert clerk.types("invoice", "render").returncode == 2
    assert "no document has a number in 2026-11" in clerk.must(
        "invoice", "render", "--month", "2026-11"
    ).stderr  # fmt: skip


def test_a_folder_that_cannot_be_written_is_told(clerk: Clerk) -> None:
    (clerk.home / "documents").rename(clerk.home / "gone")
    (clerk.home / "documents").write_text("a file")
    said = clerk.told_by("invoice", "render", "--month", "2026-10")
    assert said.startswith("DOCUMENT_WRITE: ") and "but the document is closed" in said


def test_who_only_looks_loads_nothing_that_prints(clerk: Clerk) -> None:
    """Each is a tenth of a second of every answer."""
    done = command_line.python(LOADED, "--home", str(clerk.home), "invoice", "list")
    assert done.returncode == 0, done.stderr
    assert not {"typst", "lxml.etree", "segno"} & set(done.stderr.split())
