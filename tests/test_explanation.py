"""What the clerk and the customer read of each kind of line, and that the rows add up."""

import shutil
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing.documents.pdf import render_pdf
from billing.explanation import Row, explain
from billing.language import LANGUAGES, language_of
from tests.command_line import shown_here as shown
from tests.every_line import NOW, documents, run
from tests.pdf_text import pdf_rows

Documents = dict[tuple[str, str], Any]


@pytest.fixture(scope="module")
def home(every_home: Path) -> Path:
    return every_home


@pytest.fixture(scope="module")
def found(home: Path) -> Documents:
    return documents(home)


def rows(document: Any, code: str, at: int = 0) -> list[str]:
    """The rows of the line of that code, cells parted by bars; `at` where there are several."""
    line = [one for one in document["lines"] if one["code"] == code][at]
    return [_text(row) for row in explain(line, document)]


def _text(row: Row) -> str:
    cells = (row.text, row.quantity, row.unit, row.price, row.amount)
    return " | ".join(cell for cell in cells if cell)


@pytest.mark.parametrize(
    "wanted",
    [
        ["Team seats | 3 | seats | 12.00 | 36.00"],
        [
            "Participant minutes | 1,500 | minutes | 62.00",
            "100 included free of charge | 1,400 | charged",
            "The first 1,000 | 1,000 | minutes | 0.05 | 50.00",
            "Once, for the first 1,000 | 2.00",
            "Above 1,000 | 400 | minutes | 0.025 | 10.00",
        ],
        [
            "Rooms at once | 2 | participants | 20.00",
            "Above 1: one price for all | 2 | participants | 7.50 | 15.00",
            "Once, for above 1 | 5.00",
        ],
        [
            "Recording storage | 117.25 | GB | 13.50",
            "15 included free of charge: 5 a month for each of 3 seats | 102.25 | charged",
            "Packages of 50 GB, a begun one counts whole | 3 | packages | 4.50 | 13.50",
        ],
        [
            "Ticket sales | 22,246 | minor units | 7.05",
            "2.9 % of the amount used | 222.46 | EUR | 2.9 % | 6.45134",
            "For each record | 2 | records | 0.30 | 0.60",
        ],
        [
            "Support | 1 | month | 17.50",
            "Once a month, however much is used | 20.00",
            "Discount of 12.5 % | -2.50",
        ],
        [
            "Whiteboards | 1 | board | 0.80 | 10.00",
            "At the unit price | 1 | board | 0.80 | 0.80",
            "Made up to the minimum, 10.00 a month | 9.20",
        ],
        [
            "Screen sharing | 11.25 | hours | 3.00 | 25.00",
            "At the unit price | 11.25 | hours | 3.00 | 33.75",
            "Discount of 10 % | -3.375",
            "Cut down to the maximum, 25.00 a month | -5.375",
        ],
        [
            "Minimum commitment | 343.42",
            "At least 500.00 a month | 500.00",
            "Usage came to | -156.58",
        ],
    ],
)
def test_a_line_of_a_whole_month(found: Documents, wanted: list[str]) -> None:
    told = [
        [_text(row) for row in explain(line, found["acme", "2026-10"])]
        for line in found["acme", "2026-10"]["lines"]
    ]
    assert wanted in told


def test_a_variant_has_a_line_of_its_own(found: Documents) -> None:
    lines = [rows(found["acme", "2026-10"], "dial_in", at) for at in range(3)]
    assert sorted(lines) == [
        ["Dial-in minutes (DE) | 20 | minutes | 0.019 | 0.38"],
        ["Dial-in minutes (JP) | 10 | minutes | 0.095 | 0.95"],
        ["Dial-in minutes | 5 | minutes | 0.04 | 0.20"],
    ]


def test_a_part_of_a_month_says_its_days(found: Documents) -> None:
    moves = found["moves", "2026-11"]
    days = "1 – 14 November 2026 | 14 | of 30 days"
    assert rows(moves, "seats") == ["Team seats | 2 | seats | 12.00 | 11.20", days]
    assert rows(moves, "minutes")[1:3] == [
        days,
        "47 included free of charge: 100 a month × 14/30 days, rounded up | 1,453 | charged",
    ]
    assert rows(moves, "storage")[2].startswith(
        "5 included free of charge: 5 a month for each of 2 seats × 14/30 days, rounded up | 112.25"
    )
    assert rows(moves, "whiteboards") == [
        "Whiteboards | 1 | board | 0.80 | 4.67",
        days,
        "At the unit price | 1 | board | 0.80 | 0.80",
        "Made up to the minimum, 10.00 a month × 14/30 days | 3.86666667",
    ]
    assert rows(moves, "commitment") == [
        "Minimum commitment | 111.58",
        days,
        "At least 500.00 a month × 14/30 days | 233.33333333",
        "Usage came to | -121.75",
    ]
    assert rows(moves, "support")[1] == "15 – 30 November 2026"


def test_an_allowance_for_seats_that_changed_says_the_seats_of_all_days(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    change = ("account", "plan", "moves", "large", "--from", "2026-12-11", "--quantity", "6")
    assert run(copy, *change).returncode == 0
    month = shown(copy, "invoice", "preview", "--account", "moves", now=NOW)
    # 4 seats for 10 days and 6 for 21: 5 x 166 / 31 = 26.77
    assert rows(month, "storage")[1] == (
        "27 included free of charge: 5 a month × 166/31 days of seats, rounded up | 0 | charged"
    )


def test_fees_in_advance_say_for_when_and_adjustments_of_what(found: Documents) -> None:
    first, second = found["moves", "2026-10"], found["acme", "2026-11"]
    assert [rows(first, "base", at) for at in range(3)] == [
        ["Team plan | 1 | month | 49.00 | 49.00"],
        [
            "Team plan | 1 | month | 49.00 | 22.87",
            "In advance, 1 – 14 November 2026 | 14 | of 30 days",
        ],
        [
            "Large plan | 1 | month | 99.00 | 52.80",
            "In advance, 15 – 30 November 2026 | 16 | of 30 days",
        ],
    ]
    charged = found["acme", "2026-10"]["number"]
    assert [rows(second, "base", at) for at in range(3)] == [
        [
            "Team plan: 32.67 instead of 49.00 charged in advance | -16.33",
            "1 – 30 November 2026 came to | 32.67",
            f"Charged in advance in {charged} (4 December 2026) | -49.00",
        ],
        ["Large plan | 1 | month | 99.00 | 33.00", "21 – 30 November 2026 | 10 | of 30 days"],
        ["Large plan | 1 | month | 99.00 | 99.00", "In advance, 1 – 31 December 2026"],
    ]


def test_days_that_are_not_over_come_to_what_is_owed(found: Documents) -> None:
    """A draft may be of the running month; what a final document adjusts is over."""
    document = found["acme", "2026-11"]
    for status, earlier, text in (
        ("final", False, "came to"), ("draft", False, "comes to"), ("draft", True, "came to"),
    ):  # fmt: skip
        line = next(one for one in document["lines"] if "owed" in one["basis"])
        if earlier:
            line = {**line, "period": found["acme", "2026-10"]["period"]}
        _, row, *_ = explain(line, {**document, "status": status})
        assert row.text == f"1 – {'31 October' if earlier else '30 November'} 2026 {text}"


def test_the_rows_beneath_a_line_add_up_to_it(found: Documents) -> None:
    assert sum(map(check_sums, found.values())) > 30


def check_sums(document: Any) -> int:
    """How many lines have rows that add up to them, to the cent: the line alone is rounded."""
    checked = 0
    for line in document["lines"]:
        _, *beneath = explain(line, document)
        parts = [Fraction(row.amount.replace(",", "")) for row in beneath if row.amount]
        if parts:
            checked += 1
            assert abs(sum(parts) - Fraction(line["amount"])) <= Fraction("0.005001"), line
    return checked


def test_a_credit_note_of_a_run_says_the_same_with_its_signs_turned(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    asked = ("invoice", "preview", "--account", "acme")
    charged = shown(copy, *asked, now=NOW)
    item = ("invoice", "item", "acme", "--on", "2026-12-02", "--description", "Goodwill")
    assert run(copy, *item, "--amount", "-9999").returncode == 0
    given = shown(copy, *asked, now=NOW)
    assert (charged["kind"], given["kind"]) == ("invoice", "credit_note")
    assert check_sums(given) == check_sums(charged) >= 3
    assert rows(given, "commitment")[1:] == [
        "At least 500.00 a month | -500.00", "Usage came to | 27.50",
    ]  # fmt: skip
    for line, other in zip(charged["lines"], given["lines"], strict=False):
        texts = [[row.text for row in explain(*one)] for one in ((line, charged), (other, given))]
        assert texts[0] == texts[1]


def test_the_page_says_every_row_in_the_customers_language(found: Documents) -> None:
    languages = set()
    for document in found.values():
        language = language_of(document["buyer"]["language"])
        languages.add(language.code)
        page = "".join(pdf_rows(render_pdf(document))).replace(" ", "")
        for line in document["lines"]:
            for row in explain(line, document, language):
                for cell in _cells(row):
                    assert cell.replace(" ", "") in page, cell
    assert languages == {"de", "ja"}


def _cells(row: Row) -> Iterator[str]:
    yield from (row.text, f"{row.quantity} {row.unit}", row.price, row.amount.replace("-", "−"))


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_tells_the_same_numbers(found: Documents, code: str) -> None:
    language, texts = language_of(code), set()
    group, point = (language.separators[ord(sign)] for sign in ",.")

    def plain(cell: str) -> str:
        told = cell.replace(group, "").replace(point, ".").replace("％", "%")
        return "".join(told.split())

    for document in found.values():
        for line in document["lines"]:
            pairs = zip(explain(line, document, language), explain(line, document), strict=True)
            for row, english in pairs:
                texts.add(row.text == english.text)
                for name in ("quantity", "price", "amount"):
                    wanted = "".join(getattr(english, name).replace(",", "").split())
                    assert plain(getattr(row, name)) == wanted, (row, english)
                assert not {"{", "}"} & set(row.text + row.unit)
    assert texts == ({True} if code == "en" else {True, False})  # a book's own texts stay


def test_the_terminal_shows_the_same(home: Path, found: Documents) -> None:
    number = found["acme", "2026-11"]["number"]
    shown = run(home, "invoice", "show", number)
    assert shown.returncode == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    for wanted in (
        "code description quantity unit unit price amount",
        "seats Team seats 3 seats 12.00 24.00",
        "1 – 20 November 2026 20 of 30 days",
        "Charged in advance in HM-2026-000001 (4 -49.00",  # the rest of the day is beneath
    ):
        assert wanted in lines
    assert lines[-3].startswith(f"final {number}, 1 – 30 November 2026: ")
    assert lines[-2].startswith("No electronic invoice: no tax is decided")
    assert lines[-1].startswith("Closed by ")
    assert max(map(len, shown.stdout.splitlines())) <= 110


def test_csv_gains_columns_at_its_end(home: Path, found: Documents) -> None:
    document = found["acme", "2026-11"]
    text = run(home, "invoice", "show", document["number"], "--format", "csv").stdout
    heading, first, *_ = text.splitlines()
    assert heading.split(",")[:7] == [
        "kind", "code", "description", "quantity", "unit", "included", "amount",
    ]  # fmt: skip
    assert first.startswith("fee,seats,Team seats,3,seat,0,24.00,,2026-11-01T00:00:00+01:00,")


def test_the_basis_of_a_line_is_what_the_book_says(found: Documents) -> None:
    """By the book's own keys, which a program reads beside the contract's."""
    by_code = {line["code"]: line for line in found["acme", "2026-10"]["lines"]}
    assert by_code["shop"]["basis"] == {
        "model": "percentage", "rate_percent": "2.9", "fixed": "0.3", "unit_size": "1",
        "records": 2,
    }  # fmt: skip
    assert by_code["sharing"]["basis"] == {
        "model": "per_unit", "discount_percent": "10", "maximum": "25",
    }  # fmt: skip
    assert by_code["seats"]["basis"] == {"amount": "12"}
    lines = found["acme", "2026-10"]["lines"]
    usage = sum(Decimal(line["amount"]) for line in lines if line["kind"] == "usage")
    assert by_code["commitment"]["basis"] == {"amount": "500", "usage": f"{usage}"}
