"""Accounts from CSV: every fault by row and column, and histories that merge by date."""

import random
import string
from datetime import date

import pytest

from billing import Subscription, effective_history, merge_history, parse_accounts
from edge import Fault, Refused
from edge.party import TEXT_MAX, countries, wrong_vat_number

HEADER = "account_id,name,email,country,language,time_zone,currency,plan,since"
ACME = "acme,Acme Ltd,ap@acme.example,GB,en,Europe/London,GBP,business,2026-01-01"


def faults_of(text: str | bytes, history: tuple[Subscription, ...] = ()) -> list[Fault]:
    with pytest.raises(Refused) as refusal:
        parse_accounts(text, history)
    assert refusal.value.code == "ACCOUNTS_INVALID"
    return list(refusal.value.faults)


def sub(since: str, until: str | None = None, plan: str = "business") -> Subscription:
    end = date.fromisoformat(until) if until else None
    return Subscription("acme", date.fromisoformat(since), end, None, plan, 1)


def csv_of(*spans: str) -> str:
    rows = (ACME.replace("2026-01-01", span) for span in spans)
    return "\n".join([HEADER + ",until", *rows])


def test_a_good_file() -> None:
    header = HEADER + ",until,quantity,legal_name,payment_terms_days"
    rows = [
        ACME + ",2026-06-01,5,Acme Trading Limited,14",
        ACME.replace("business,2026-01-01", "eu/pro,2026-06-01") + ",,,Acme Trading Limited,14",
    ]
    for text in ("\n".join([header, *rows]), "\ufeff" + "\r\n".join([header, *rows, ""])):
        file = parse_accounts(text.encode())
        (account,) = file.accounts
        assert (account.name, account.legal_name) == ("Acme Ltd", "Acme Trading Limited")
        assert (account.payment_terms_days, account.city) == (14, None)
        assert file.subscriptions == (
            Subscription("acme", date(2026, 1, 1), date(2026, 6, 1), None, "business", 5),
            Subscription("acme", date(2026, 6, 1), None, "eu", "pro", 1),
        )


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("Europe/London", "Europe/Lundun", "BAD_VALUE", "row 2, time_zone"),
        ("Europe/London", "../etc/passwd", "BAD_VALUE", "row 2, time_zone"),
        ("GB,", "gb,", "BAD_VALUE", "row 2, country"),
        ("GBP", "GBX", "BAD_VALUE", "row 2, currency"),
        (",en,", ",english,", "BAD_VALUE", "row 2, language"),
        ("2026-01-01", "2026-02-30", "BAD_VALUE", "row 2, since"),
        ("2026-01-01", "20260101", "BAD_VALUE", "row 2, since"),
        ("ap@acme", "acme", "BAD_VALUE", "row 2, email"),
        ("business", "a/b/c", "BAD_VALUE", "row 2, plan"),
        ("Acme Ltd", "", "VALUE_MISSING", "row 2, name"),
        ("Acme Ltd", '"Acme\nLtd"', "BAD_VALUE", "row 2, name"),
        ("acme,", "ac me,", "BAD_VALUE", "row 2, account_id"),
        ("Acme Ltd", "Acme, Ltd", "ROW_LENGTH", "row 2"),
        ("country", "contry", "UNKNOWN_COLUMN", "row 1, contry"),
        (",since", "", "COLUMN_MISSING", "row 1, since"),
        ("name", "email", "DUPLICATE", "row 1, email"),
    ],
)
def test_one_fault(old: str, new: str, code: str, place: str) -> None:
    text = f"{HEADER}\n{ACME}".replace(old, new, 1)
    assert (code, place) in [(fault.code, fault.place) for fault in faults_of(text)]


def test_all_faults_of_all_rows_are_listed() -> None:
    text = f"{HEADER},quantity\n{ACME},0\n\n{ACME.replace('GBP', 'x')},1.5\n"
    assert [(fault.code, fault.place) for fault in faults_of(text)] == [
        ("BAD_VALUE", "row 2, quantity"),
        ("BAD_VALUE", "row 4, currency"),
        ("BAD_VALUE", "row 4, quantity"),
    ]


@pytest.mark.parametrize("text", ["", b"\xff", 'a,"b', f"{HEADER}\n" + 'a,"b"c'])
def test_no_input_is_a_crash(text: str | bytes) -> None:
    assert faults_of(text)


def test_rows_of_one_account_agree() -> None:
    text = csv_of("2026-01-01,", "2026-02-01,").replace("Acme Ltd", "Acme", 1)
    (fault,) = faults_of(text)
    assert (fault.code, fault.place) == ("ACCOUNT_DIFFERS", "row 3, name")


def test_overlaps_within_the_file() -> None:
    (fault,) = faults_of(csv_of("2026-03-01,", "2026-01-01,2026-04-01"))
    assert (fault.code, fault.place) == ("OVERLAP", "row 3, until")
    assert parse_accounts(csv_of("2026-03-01,", "2026-01-01,2026-03-01")).subscriptions


def test_overlaps_with_history() -> None:
    history = (sub("2026-01-01", "2026-06-01"),)
    (fault,) = faults_of(csv_of("2026-03-01,"), history)
    assert (fault.code, fault.place) == ("OVERLAP", "row 2, since")
    assert parse_accounts(csv_of("2026-06-01,"), history).subscriptions
    # The same row again replaces the one in the way, or takes it out.
    assert parse_accounts(csv_of("2026-03-01,", "2026-01-01,2026-02-01"), history).subscriptions
    assert parse_accounts(csv_of("2026-03-01,", "2026-01-01,2026-01-01"), history).subscriptions


def test_other_faults_of_a_row() -> None:
    assert [fault.code for fault in faults_of(csv_of("2026-03-01,2026-02-01"))] == ["BAD_VALUE"]
    assert [fault.code for fault in faults_of(csv_of("2026-03-01,", "2026-03-01,"))] == [
        "DUPLICATE"
    ]


def test_merge_is_an_upsert_by_date() -> None:
    existing = (sub("2026-01-01"), sub("2026-03-01"), sub("2026-05-01"))
    incoming = (sub("2026-03-01", plan="pro"), sub("2026-05-01", "2026-05-01"), sub("2026-04-01"))
    merged = merge_history(existing, incoming)
    assert merged == (sub("2026-01-01"), sub("2026-03-01", plan="pro"), sub("2026-04-01"))
    assert merge_history(merged, incoming) == merged


def test_an_open_row_ends_where_the_next_begins() -> None:
    other = Subscription("beta", date(2026, 1, 1), None, None, "pro", 1)
    rows = (other, sub("2026-03-01"), sub("2026-01-01"), sub("2026-02-01", "2026-02-10"))
    assert effective_history(rows) == (
        sub("2026-01-01", "2026-02-01"),
        sub("2026-02-01", "2026-02-10"),
        sub("2026-03-01"),
        other,
    )


def test_every_fault_is_found_beside_those_of_the_header_and_of_an_open_quote() -> None:
    rows = "a,A,mail,DE,de,Europe/Berlin,EUR,p,2026-01-01"
    header = "account_id,nam,email,country,language,time_zone,currency,plan,since"
    with pytest.raises(Refused) as refused:
        parse_accounts(f"{header}\n{rows}\n")
    found = [(fault.code, fault.place) for fault in refused.value.faults]
    assert found == [
        ("UNKNOWN_COLUMN", "row 1, nam"),
        ("COLUMN_MISSING", "row 1, name"),
        ("BAD_VALUE", "row 2, email"),
    ]
    with pytest.raises(Refused) as refused:
        parse_accounts(f'{header.replace("nam,", "name,")}\n{rows}\nb,"B,b@b\n')
    found = [(fault.code, fault.place) for fault in refused.value.faults]
    assert found == [("CSV_INVALID", "row 3"), ("BAD_VALUE", "row 2, email")]


@pytest.mark.parametrize(
    ("column", "value"), [("time_zone", "localtime"), ("currency", "XXX"), ("currency", "XAU")]
)
def test_a_zone_of_this_machine_and_a_currency_that_is_none_are_refused(
    column: str, value: str
) -> None:
    row = {"time_zone": "Europe/Berlin", "currency": "EUR"} | {column: value}
    header = "account_id,name,email,country,language,time_zone,currency,plan,since"
    text = f"a,A,a@a,DE,de,{row['time_zone']},{row['currency']},p,2026-01-01"
    with pytest.raises(Refused) as refused:
        parse_accounts(f"{header}\n{text}\n")
    assert [fault.place for fault in refused.value.faults] == [f"row 2, {column}"]


def buyer(country: str = "GB", **told: str) -> str:
    """A file of one account, of this country, of which these columns are told."""
    row = ACME.replace("GB", country, 1)
    return f"{','.join([HEADER, *told])}\n{','.join([row, *told.values()])}"


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("DE", "DE123456788"),
        ("DE", "de 123 456 788"),
        ("DE", "FR40303265045"),  # registered elsewhere
        ("GR", "EL094259216"),
        ("MC", "FR53000004605"),
        ("GB", "980 7806 84"),
        ("GB", "XI980780684"),  # Northern Ireland
        ("CH", "CHE-107.787.577 MWST"),
        ("CH", "CHE-107.787.577"),
        ("CH", "DE123456788"),
        ("JP", "T7000012050002"),
        ("IL", "123456782"),
        ("SM", "SM24165"),
        ("SG", "M90367530Y"),
        ("US", "12-3456789"),  # nobody knows its form
    ],
)
def test_a_vat_number_is_kept_as_it_was_written(country: str, number: str) -> None:
    (account,) = parse_accounts(buyer(country, vat_number=number)).accounts
    assert account.vat_number == number


@pytest.mark.parametrize(
    ("country", "number", "said"),
    [
        ("DE", "DE123456789", "is not a VAT number of an EU state: look at its letters and check"),
        ("DE", "123456788", "lacks the letters of its country: DE123456788"),
        ("GR", "094259216", "lacks the letters of its country: EL094259216"),
        ("DE", "GB980780684", "is not a VAT number of an EU state"),
        ("DE", "<b>", "is not a VAT number of an EU state"),
        ("US", "DE123456789", "is not a VAT number of an EU state"),
        ("GB", "980780685", "is not a VAT number of GB: look at its letters and check digit"),
        ("CH", "CHE-107.787.578", "is not a VAT number of CH"),
        ("JP", "T7000012050003", "is not a VAT number of JP"),
    ],
)
def test_a_vat_number_that_is_none(country: str, number: str, said: str) -> None:
    (fault,) = faults_of(buyer(country, vat_number=number))
    assert (fault.code, fault.place) == ("BAD_VALUE", "row 2, vat_number")
    assert fault.message.startswith(f"{number!r} {said}")


@pytest.mark.parametrize(
    ("column", "good", "wrong"),
    [
        ("country", ("DE", "HK"), ("XK", "UK", "EU", "ZZ", "A1", "D\u0415")),
        ("customer_type", ("business", "consumer", ""), ("Business", "school")),
        ("endpoint", ("0088:4012345000009", "9930:DE123456788"), ("DE123456788", "88:1", "0088:")),
        ("payment_terms_days", ("0", "999"), ("-1", "1000", "14.0", "\u0661")),
    ],
)
def test_what_stands_in_a_column(
    column: str, good: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    for value in good:
        assert parse_accounts(_told(column, value)).accounts
    for value in wrong:
        (fault,) = faults_of(_told(column, value))
        assert (fault.code, fault.place) == ("BAD_VALUE", f"row 2, {column}")


def _told(column: str, value: str) -> str:
    return buyer(value) if column == "country" else buyer(**{column: value})


def test_every_unusual_value_is_named_by_its_row_and_markup_is_but_text() -> None:
    names = ["<script>x</script>", "n" * 2_000, "a\x1b[2Jb", "\u202eacme", "a\x00b", "#let x = 1"]
    rows = [f"a{n},{name},a@a.example,DE,de,UTC,EUR,p,2026-01-01" for n, name in enumerate(names)]
    last = "b,B,b@b.example,QQ,de,UTC,EUR,p,2026-01-01"
    header = f"{HEADER},vat_number"
    found = faults_of("\n".join([header, *(f"{row}," for row in rows), f"{last},DE1"]))
    assert [(fault.code, fault.place) for fault in found] == [
        *(("BAD_VALUE", f"row {row}, name") for row in (3, 4, 5, 6)),
        ("BAD_VALUE", "row 8, country"),
        ("BAD_VALUE", "row 8, vat_number"),
    ]
    assert all(str(fault).isprintable() for fault in found)
    kept = parse_accounts("\n".join([HEADER, rows[0], rows[-1]])).accounts
    assert [account.name for account in kept] == [names[0], names[-1]]


def test_every_digit_of_a_german_number_that_is_mistyped_is_found() -> None:
    right = "DE123456788"
    assert wrong_vat_number(right, "DE") is None
    for place in range(2, len(right)):
        for digit in set(string.digits) - {right[place]}:
            assert wrong_vat_number(f"{right[:place]}{digit}{right[place + 1 :]}", "DE")


def test_no_text_is_a_crash_as_a_vat_number_of_any_country(rng: random.Random) -> None:
    """What it says of one is a sentence for a clerk, or nothing."""
    letters = string.ascii_letters + string.digits * 4 + " .-/+*" + "\u0661\u00b2\uff11\u2013\xa0é"
    for country in sorted(countries()):
        for length in (1, 9, 11, 13, TEXT_MAX):
            number = "".join(rng.choices(letters, k=length))
            for told in (number, f"{country}{number}"):
                wrong = wrong_vat_number(told, country)
                assert wrong is None or wrong.startswith(repr(told))
