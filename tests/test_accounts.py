"""Accounts from CSV: every fault by row and column, and histories that merge by date."""

from datetime import date

import pytest

from billing import Subscription, effective_history, merge_history, parse_accounts
from edge import Fault, Refused

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
