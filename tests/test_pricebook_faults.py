"""What is wrong with a price book: TOML in, fault lines out; and no text is a crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import PriceBook, parse_price_book
from edge import Fault, Refused
from tests.book_cases import HEAD, MEASURED, STRUCTURAL, cases
from tests.command_line import ROOT

TEMPLATE = (ROOT / "billing" / "price-book-template.toml").read_text("utf-8")


def faults_of(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(Refused) as refusal:
        parse_price_book(text)
    assert refusal.value.code == "PRICE_BOOK_INVALID"
    assert refusal.value.faults
    return refusal.value.faults


@pytest.mark.parametrize(("text", "faults"), [*STRUCTURAL, *MEASURED])
def test_a_charge(text: str, faults: list[str]) -> None:
    found = [str(fault) for fault in faults_of(text)]
    assert [line.replace("plan[p].charge[c].", "") for line in found] == faults


def _charge(code: str, says: str) -> str:
    return (
        f'[[plan.charge]]\ncode = "{code}"\ndescription = "D"\nmodel = "per_unit"\n'
        f"unit_price = 1\n{says}\n"
    )


COUNT, TIME = 'meter = "m", measure = "count"', 'meter = "m", measure = "duration", unit = "hour"'
BY_PRICES = COUNT + ', prices = { US = 1, "*" = 2 }'


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (COUNT, COUNT, "no variant, any other variant"),
        (COUNT, TIME, "no variant, any other variant"),
        (COUNT, COUNT + ', variant = "US"', "variant 'US'"),
        (COUNT + ', variant = "US"', COUNT + ', variant = ["DE", "US"]', "variant 'US'"),
        (COUNT + ', variant = "*"', TIME + ', variant = "*"', "no variant, any other variant"),
        # Of another measure, "*" takes what is named too.
        (COUNT + ', variant = "US"', TIME + ', variant = "*"', "variant 'US'"),
        (COUNT + ', variant = ["US", "*"]', COUNT + ', variant = "US"', "variant 'US'"),
        (BY_PRICES, COUNT + ', variant = "US"', "variant 'US'"),
        (BY_PRICES, COUNT, "variant 'US', no variant, any other variant"),
        (COUNT + ', variant = "*"', COUNT + ', variant = "US"', None),
        (BY_PRICES, COUNT + ', variant = "DE"', None),
        (COUNT + ', variant = "US"', COUNT + ', variant = "DE"', None),
        (COUNT, COUNT + ", also = true", None),
        (COUNT + ", also = true", TIME, None),
        (COUNT, COUNT.replace('"m"', '"n"'), None),
    ],
)
def test_two_charges_take_the_same_record(first: str, second: str, shared: str | None) -> None:
    charges = [
        f'{{ code = "{code}", description = "D", model = "per_unit", '
        + ("" if "prices" in says else "unit_price = 1, ")
        + says
        + " }"
        for code, says in (("a", first), ("b", second))
    ]
    text = HEAD + f"charge = [\n{charges[0]},\n{charges[1]},\n]\n"
    if shared is None:
        parse_price_book(text)
        return
    key = "variant" if "variant" in second else "meter"
    assert [str(fault) for fault in faults_of(text)] == [
        f"CHARGES_OVERLAP: plan[p].charge[b].{key}: charge[a] takes meter 'm', {shared}, too: part "
        "them by variant, or say also = true in one of the two (line 9)"
    ]


def test_an_overlap_is_found_beside_every_other_fault() -> None:
    faulty = 'meter = "m"\nmeasure = "count"\nmaximum = -1'
    text = HEAD + _charge("a", faulty) + _charge("b", 'meter = "m"\nmeasure = "count"')
    text += _charge("c", 'meter = "m"\nmeasure = "count"\nvariant = "US"')
    assert [(fault.code, fault.place) for fault in faults_of(text)] == [
        ("NUMBER_NEGATIVE", "plan[p].charge[a].maximum"),
        ("CHARGES_OVERLAP", "plan[p].charge[b].meter"),
        ("CHARGES_OVERLAP", "plan[p].charge[c].variant"),
        ("CHARGES_OVERLAP", "plan[p].charge[c].variant"),
    ]


@pytest.mark.parametrize(("text", "faults"), cases("book_faults.txt"))
def test_a_book(text: str, faults: list[str]) -> None:
    assert [str(fault) for fault in faults_of(text)] == faults


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("1e" + "9" * 40, "line_rounding: must be a text in quotes, not a number (line 2)"),
        ("-1e-" + "9" * 40, "line_rounding: must be a text in quotes, not a number (line 2)"),
        ("1" * 5000, "line 2: has more digits than any number may"),
    ],
)
def test_a_number_that_python_cannot_hold_has_its_line(number: str, fault: str) -> None:
    found = [str(one) for one in faults_of(f'book = "b"\nline_rounding = {number}\n')]
    assert [line.partition(": ")[2] for line in found if "line" in line] == [fault]


def test_a_price_whose_exponent_python_cannot_hold_is_too_long() -> None:
    text = HEAD + "[plan.commitment]\namount = 1e" + "9" * 40
    assert [fault.code for fault in faults_of(text)] == ["NUMBER_TOO_LONG"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "book = ",
        b"\xff",
        "plan = 1",
        "plan = [1]",
        "plan = [{fee = 1, charge = [2], code = [1], commitment = [], free = {}}]",
        "[[plan]]\ncode = [1]\nfree = 1\n[[plan.charge]]\ncode = {}\nmeasure = []\nmodel = {}",
        "[[plan]]\n[[plan.charge]]\nmeasure = {}\nmeter = []\nrounding = {}\nunit_size = 2",
        "[[plan]]\n[[plan.charge]]\nmodel = 'per_unit'\nprices = {a = {}, '' = 1}\nvariant = {}",
        "[[plan]]\n[[plan.charge]]\nmodel = 'volume'\ntiers = [[], {up_to = []}]\nvariant = [[]]",
        'plan = [{code = "a"}, {code = []}]',
        "a = " + "9" * 5000,
        "a = 1e" + "9" * 40,
        "a = " + "[" * 5000,
        "a = " + "[" * 200 + "]" * 200,
        "effective_from = 2026-02-30\n" * 3,
    ],
)  # fmt: skip
def test_no_input_is_a_crash(text: str | bytes) -> None:
    faults_of(text)


LINES = TEMPLATE.splitlines()
VALUES = sorted({line.partition("=")[2].partition("#")[0].strip() for line in LINES if "=" in line})
ODD = ["-1", "nan", "1e999", "true", '"*"', "[]", "{}", '["US", "*"]', "2026-02-30", "'''\n'''"]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The template with a few of its lines gone, twice, elsewhere or with another's value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(("drop", "twice", "move", "value", "value", "value", "cut")))
        if change == "drop":
            del lines[at]
        elif change == "twice":
            lines.insert(draw(st.integers(0, len(lines))), lines[at])
        elif change == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif change == "value" and "=" in lines[at]:
            value = draw(st.sampled_from((*VALUES, *ODD)))
            lines[at] = f"{lines[at].partition('=')[0]}= {value}"
        else:
            lines[at] = lines[at][: draw(st.integers(0, 40))]
    return "\n".join(lines)


def outcome(text: str) -> PriceBook | list[str]:
    try:
        return parse_price_book(text)
    except Refused as refused:
        assert refused.code == "PRICE_BOOK_INVALID" and refused.faults
        return [str(fault) for fault in refused.faults]


@settings(deadline=None, max_examples=300)
@given(mutated())
def test_a_mutated_book_is_read_or_refused_and_twice_the_same(text: str) -> None:
    assert outcome(text) == outcome(text)
