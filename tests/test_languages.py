"""The customer's language: no text is missing in any, and numbers and days are written as there."""

import re
import string
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing import measured, proven_lines, statement
from billing.documents.pdf import print_document
from billing.explanation import explain
from billing.language import ENGLISH, LANGUAGES, language_of
from billing.money import currency_precision
from billing.pricebook import MINIMUM_COMMITMENT
from billing.wording import number, plural
from tests.papers import BUYER, fee_line, invoice, usage_line

BILLING = Path(__file__).parent.parent / "billing"
OTHERS = [code for code in LANGUAGES if code != "en"]
# Of a day, an amount or a unit a language says what it needs.
_OF_ITS_OWN = {
    "sum": {"amount", "currency", "symbol"},
    "span_in_month": {"first", "last", "first_day", "last_day"},
}


def catalogue(code: str) -> dict[str, Any]:
    return tomllib.loads((BILLING / "languages" / f"{code}.toml").read_text("utf-8"))


def fields(template: str) -> set[str]:
    return {name for _, name, *_ in string.Formatter().parse(template) if name is not None}


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    assert {path.stem for path in (BILLING / "languages").iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_in_every_language_with_the_same_values(code: str) -> None:
    english, other = catalogue("en")["texts"], catalogue(code)["texts"]
    assert other.keys() == english.keys()
    for key, text in other.items():
        assert text.strip(), key
        if key in _OF_ITS_OWN:
            assert fields(text) <= _OF_ITS_OWN[key]
        else:
            assert fields(text) == fields(english[key]), key


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_is_left_in_english(code: str) -> None:
    """But for words that are the same, of which there are few."""
    english, other = catalogue("en")["texts"], catalogue(code)["texts"]
    letters = re.compile(r"[^\W\d_]{2}")
    told = {key for key, text in english.items() if letters.search(re.sub(r"{\w+}", "", text))}
    same = {key for key in told if other[key] == english[key]}
    assert same <= {"date", "day", "total", "subtotal", "description"}


def test_every_text_is_used() -> None:
    source = "".join(path.read_text("utf-8") for path in BILLING.rglob("*.py"))
    # Those that a document's own words or an ending complete.
    made = {"invoice", "credit_note", "concession", "correction", "void", "minimum", "maximum"}
    for key in catalogue("en")["texts"].keys() - made:
        stem = re.sub("_(in|net|line)$", "", key)
        assert f'"{key}"' in source or f'"{stem}"' in source, key


@pytest.mark.parametrize("code", OTHERS)
def test_units_and_what_statements_say_are_in_every_language(code: str) -> None:
    other = catalogue(code)
    for table in ("units", "meters"):
        assert other[table].keys() == catalogue("de")[table].keys()
    said = {statement.NOT_STOPPED, statement.CONTINUES, *measured.OWN_ROW.values()}
    assert other["said"].keys() == said | proven_lines.REASONS | {MINIMUM_COMMITMENT}
    known = {"other"} if code == "ja" else {"one", "other"}
    for forms in other["units"].values():
        assert forms.keys() == known
    assert not {"units", "meters", "said"} & catalogue("en").keys()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_can_be_printed(code: str) -> None:
    language = language_of(code)
    told = [*language.texts.values(), *language.meters.values(), *language.said.values()]
    told += [form for forms in language.units.values() for form in forms.values()]
    lines = [{**fee_line(0), "description": text} for text in told]
    document = {**invoice(buyer={**BUYER, "language": code}), "lines": lines}
    assert print_document(document).faults == []


@pytest.mark.parametrize(
    ("tag", "amount", "day", "span", "country"),
    [
        ("en", "-1,234,567.5", "2 November 2026", "1 – 14 November 2026", "Germany"),
        ("en-US", "-1,234,567.5", "November 2, 2026",
         "November 1, 2026 – November 14, 2026", "Germany"),
        ("de", "-1.234.567,5", "2. November 2026", "1.–14. November 2026", "Deutschland"),
        ("fr", "-1\u202f234\u202f567,5", "2 novembre 2026", "1er–14 novembre 2026", "Allemagne"),
        ("es", "-1.234.567,5", "2 de noviembre de 2026", "1–14 de noviembre de 2026", "Alemania"),
        ("ja", "-1,234,567.5", "2026年11月2日", "2026年11月1日～14日", "ドイツ"),
        ("it-IT", "-1,234,567.5", "2 November 2026", "1 – 14 November 2026", "Germany"),
        ("de-QQ", "-1.234.567,5", "2. November 2026", "1.–14. November 2026", "Deutschland"),
        (None, "-1,234,567.5", "2 November 2026", "1 – 14 November 2026", "Germany"),
    ],
)  # fmt: skip
def test_a_language_writes_numbers_days_and_countries_as_there(
    tag: str | None, amount: str, day: str, span: str, country: str
) -> None:
    language = language_of(tag)
    assert language.number(Decimal("-1234567.50")) == amount
    assert language.day(date(2026, 11, 2)) == day
    assert language.span({"start": "2026-11-01T00:00:00", "end": "2026-11-15T00:00:00"}) == span
    assert language.country("DE") == country
    assert language.country("QQ") == "QQ"


def test_a_region_has_its_own_words_where_babel_knows_them() -> None:
    january = date(2027, 1, 5)
    told = [language_of(tag).day(january) for tag in ("de", "de-AT", "en-GB", "en-US")]
    assert told == ["5. Januar 2027", "5. Jänner 2027", "5 January 2027", "January 5, 2027"]
    firsts = [language_of(code).day(date(2027, 1, 1)) for code in LANGUAGES]
    assert firsts == [
        "1 January 2027", "1. Januar 2027", "1er janvier 2027", "1 de enero de 2027",
        "2027年1月1日",
    ]  # fmt: skip


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_exact_at_any_length(code: str) -> None:
    text = "1234567890" * 6 + "." + "0123456789" * 6 + "1"
    language = language_of(code)
    shown = language.number(Decimal(text))
    group, point = (language.separators[ord(sign)] for sign in ",.")
    assert shown.replace(group, "").replace(point, ".") == text
    assert currency_precision("KWD") == 3
    assert language.money(Decimal("1.5"), "KWD") == f"1{point}500"
    assert language.money(Decimal("15"), "JPY") == "15"


def test_a_sum_has_its_currency_where_the_language_puts_it() -> None:
    told = {
        tag: [language_of(tag).sum(Decimal("1234.50"), currency) for currency in ("EUR", "KWD")]
        for tag in ("en", "de", "ja")
    }
    assert told == {
        "en": ["1,234.50 EUR", "1,234.500 KWD"],
        "de": ["1.234,50 EUR", "1.234,500 KWD"],
        "ja": ["€1,234.50", "KWD\u00a01,234.500"],
    }
    assert language_of("ja").sum(Decimal(1234), "JPY") == "￥1,234"


def test_a_unit_has_the_form_that_its_count_asks_for() -> None:
    told = {
        code: [language_of(code).unit("minute", Decimal(n)) for n in ("0", "1", "1.5", "2")]
        for code in LANGUAGES
    }
    assert told == {
        "en": ["minutes", "minute", "minutes", "minutes"],
        "de": ["Minuten", "Minute", "Minuten", "Minuten"],
        "fr": ["minute", "minute", "minute", "minutes"],
        "es": ["minutos", "minuto", "minutos", "minutos"],
        "ja": ["分"] * 4,
    }
    assert [language_of(code).unit("board", Decimal(2)) for code in LANGUAGES] == [
        "boards", *["board"] * 4,
    ]  # fmt: skip


def test_english_is_that_of_the_terminal() -> None:
    for text in ("0", "-1234.50", "1000000", "0.000123"):
        assert ENGLISH.number(Decimal(text)) == number(Decimal(text))
    for unit in ("minute", "GB", "month", "minor unit"):
        assert ENGLISH.unit(unit, Decimal(2)) == plural(unit, Decimal(2))


@pytest.mark.parametrize("code", LANGUAGES)
def test_values_are_no_templates(code: str) -> None:
    hostile = "{number.__class__} {0} {{}} %s"
    assert hostile in language_of(code).text("for_each_seat", seats=hostile)


@pytest.mark.parametrize(
    ("code", "more", "already", "given"),
    [
        (
            "en", "5 instead of 3: 1,234.50 instead of 4.00 charged in advance",
            "5 instead of 3: 4.00 charged already", "Concession of CN-7: 5 instead of 3",
        ),
        (
            "de", "5 instead of 3: 1.234,50 statt im Voraus berechneter 4,00",
            "5 instead of 3: 4,00 bereits berechnet", "Nachlass aus CN-7: 5 instead of 3",
        ),
        (
            "fr", "5 instead of 3\u00a0: 1\u202f234,50 au lieu de 4,00 facturés d’avance",
            "5 instead of 3\u00a0: 4,00 déjà facturés",
            "Geste commercial de l’avoir CN-7\u00a0: 5 instead of 3",
        ),
        (
            "es", "5 instead of 3: 1.234,50 en lugar de 4,00 facturados por adelantado",
            "5 instead of 3: 4,00 ya facturados", "Bonificación de CN-7: 5 instead of 3",
        ),
        (
            "ja", "5 instead of 3：前払いで請求済みの 4.00 を 1,234.50 に変更",
            "5 instead of 3：4.00 は請求済み", "CN-7 の値引き：5 instead of 3",
        ),
    ],
)  # fmt: skip
def test_a_line_is_told_in_the_customers_language(
    code: str, more: str, already: str, given: str
) -> None:
    """But for the book's own text, which stays as it is, whatever it says."""
    adjustment = {
        **usage_line(0),
        "kind": "adjustment",
        "description": "5 instead of 3",
        "quantity": None,
        "included": None,
        "tiers": [],
        "origin": {
            "number": "HM-1",
            "issued_on": "2026-10-02",
            "period": usage_line(0)["period"],
        },
        "basis": {"owed": "1234.50", "charged": "4.00", "advance": True},
    }
    before = {**adjustment, "basis": {"charged": "4.00", "advance": False}}
    concession = {**fee_line(0), "kind": "item", "description": "5 instead of 3"}
    lines = (adjustment, before, {**concession, "concession": "CN-7"})
    told = [explain(line, invoice(), language_of(code))[0].text for line in lines]
    assert told == [more, already, given]


def test_a_commitment_that_the_book_does_not_name_has_a_name_in_every_language() -> None:
    line = {**fee_line(0), "description": MINIMUM_COMMITMENT}
    names = {explain(line, invoice(), language_of(code))[0].text for code in LANGUAGES}
    assert len(names) == len(LANGUAGES)
