"""The usage statement as an annex of a document: every row of it, on pages of its own."""

from pathlib import Path

from billing import open_books
from billing.documents.pdf import render_pdf
from billing.language import LANGUAGES, language_of
from billing.proven_lines import prove
from billing.statement import statement
from edge import load_settings
from tests.every_line import documents
from tests.papers import invoice
from tests.pdf_text import pdf_pages, pdf_rows


def test_the_annex_tells_the_whole_statement_in_every_language(every_home: Path) -> None:
    document = documents(every_home)["moves", "2026-11"]
    home = load_settings(every_home, {})
    with open_books(home, make=False) as books:
        proof = prove(books, home, document["number"])
    english = list(statement(proof.lines, proof.zone))
    assert len(english) > 20
    for code in LANGUAGES:
        language = language_of(code)
        rows = list(statement(proof.lines, proof.zone, language=language))
        notes = [(one["note"], other["note"]) for one, other in zip(rows, english, strict=True)]
        assert all(one != other for one, other in notes if other) == (code != "en")
        document["buyer"]["language"] = code
        found = "".join("".join(pdf_rows(render_pdf(document, rows))).split())
        found = found.replace("\u200b", "")
        assert "".join(language.text("statement").split()) in found
        for row in rows:
            for name in ("meeting", "time", "note"):
                assert "".join((row[name] or "").split()) in found, row


def test_the_rows_of_a_month_go_on_over_pages_under_their_head() -> None:
    row = {
        **{"line": 2, "date": "2026-10-05T10:00:00+02:00", "meeting": "m-1", "records": 1},
        **{"meter": "dial_in", "variant": "DE", "time": "0:20:00", "quantity": "20"},
        **{"unit": "minute", "note": ""},
    }
    plain, whole = render_pdf(invoice()), render_pdf(invoice(), [row] * 100)
    more = len(pdf_pages(whole)) - len(pdf_pages(plain))
    found = pdf_rows(whole)
    told = "2  2026-10-05 10:00:00  m-1  dial_in (DE)  1  0:20:00  20 minutes"
    assert found.count(told) == 100
    assert more > 1
    assert found.count("Line  Date  Meeting  Meter  Records  Time  Quantity  Note") == more
    assert whole == render_pdf(invoice(), [row] * 100)


def test_a_row_without_a_record_has_its_quantity_and_its_note() -> None:
    columns = ("line", "date", "meeting", "meter", "variant", "records", "time")
    bare = {**dict.fromkeys(columns), "line": 3, "quantity": "-12.5", "unit": "GB", "note": "rest"}
    empty = {**bare, "quantity": "", "unit": None, "note": "*a fee*"}
    found = pdf_rows(render_pdf(invoice(), [bare, empty]))
    assert "3  −12.5 GB  rest" in found
    assert "3  *a fee*" in found


def test_an_empty_statement_has_its_page() -> None:
    found = pdf_rows(render_pdf(invoice(), []))
    assert "Usage statement  to Invoice 2026-000042" in found
