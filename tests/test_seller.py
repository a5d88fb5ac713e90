"""`[seller]` in the settings: what may stand there, every fault of it at once, and what it does."""

from pathlib import Path
from typing import Any

import pytest

from edge import Refused
from edge.settings import Settings, load_settings
from tests.clerk import Clerk

SELLER = """\
[seller]
name = "Meetings & <b>Söhne</b> GmbH"
legal_name = "Meetings GmbH"
street = "Musterstraße 1"
postal_code = "10115"
city = "Berlin"
region = "Berlin"
country = "DE"
email = "billing@seller.example"
vat_number = "DE 123 456 788"
registration_id = "HRB 1234 B"
endpoint = "9930:DE123456788"
iban = "DE02 1203 0000 0000 2020 51"
bic = "BYLADEM1001"
time_zone = "Europe/Berlin"
tax_currency = "EUR"
payment_terms_days = 0
footer = '''
Managing director: Ada Lovelace
Court of registration: Berlin'''
"""


def told(home: Path, seller: str) -> Settings:
    (home / "homemeeting.toml").write_text(seller, "utf-8")
    return load_settings(home, {})


def test_all_that_a_seller_may_tell_is_kept_as_it_was_written(tmp_path: Path) -> None:
    home = told(tmp_path, SELLER)
    seller = dict(home.seller)
    assert len(seller) == 17
    assert (seller["vat_number"], seller["iban"]) == (
        "DE 123 456 788",
        "DE02 1203 0000 0000 2020 51",
    )
    assert seller["footer"] == "Managing director: Ada Lovelace\nCourt of registration: Berlin"
    assert (home.seller_country, home.seller_zone, home.payment_terms_days) == (
        *("DE", "Europe/Berlin", 0),
    )


def test_a_seller_who_tells_nothing_is_nowhere_yet(tmp_path: Path) -> None:
    for nothing in ("", "[seller]\n"):
        home = told(tmp_path, nothing)
        assert dict(home.seller) == {"name": "HomeMeeting"}
        assert (home.seller_country, home.seller_zone, home.payment_terms_days) == (
            *(None, "UTC", 14),
        )


def test_a_name_is_made_up_for_nobody_who_tells_one_or_a_country(tmp_path: Path) -> None:
    for seller in ({"legal_name": "S"}, {"country": "DE"}):
        text = "".join(f"{key} = {value!r}\n" for key, value in seller.items())
        assert dict(told(tmp_path, f"[seller]\n{text}").seller) == seller


@pytest.mark.parametrize(
    ("seller", "missing"),
    [
        ("country = 'DE'", "name, street, postal_code, city"),
        ("country = 'DE'\nlegal_name = 'S'\nstreet = 'Weg 1'", "postal_code, city"),
        ("country = 'HK'\nname = 'S'", "street, city"),
    ],
)
def test_no_document_is_closed_without_the_sellers_name_and_address(
    tmp_path: Path, seller: str, missing: str
) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", ours="base")
    clerk.settings(f"[seller]\n{seller}\n")
    for words in (("run", "--month", "2026-10", "--finalize"), ("finalize", "--month", "2026-10")):
        assert clerk.told_by("invoice", *words) == (
            f"SELLER_INCOMPLETE: [seller] has a country, and no {missing}: every document must "
            "have the seller's full name and address; nothing was closed\n"
        )
        assert clerk.states() == {}
    report = clerk.must("invoice", "run", "--month", "2026-10").stdout
    assert f"SELLER_INCOMPLETE         1  ours   [seller] has a country, and no {missing}" in report
    assert clerk.states() == {"2026-10.ours": "draft"}
    assert clerk.sees("invoice", "preview", "--account", "ours")["lines"]


def test_every_value_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = {
        "name": f"'{'n' * 2_000}'",
        "street": r'"a\u0007b"',
        "city": "'  '",
        "country": "'XK'",
        "email": "'billing'",
        "vat_number": "'DE123456789'",
        "endpoint": "'DE123456788'",
        "iban": "'DE03 1203 0000 0000 2020 51'",
        "bic": "'BYLADEM10'",
        "time_zone": "'Europe/Berlinn'",
        "tax_currency": "'DEM'",
        "payment_terms_days": "1000",
        "footer": r'"a\u001b[2Jb"',
    }
    text = "".join(f"{key} = {value}\n" for key, value in wrong.items())
    with pytest.raises(Refused, match="^SETTINGS: .* has 13 faults$") as refused:
        told(tmp_path, f"[seller]\n{text}")
    assert {fault.code for fault in refused.value.faults} == {"SETTINGS_VALUE"}
    assert [fault.place for fault in refused.value.faults] == [f"seller.{key}" for key in wrong]
    said = {fault.place.removeprefix("seller."): fault.message for fault in refused.value.faults}
    assert said["name"] == "must be at most 500 printable characters on one line"
    assert said["city"] == "is empty: leave it out"
    assert said["country"] == "'XK' is not a two-letter ISO 3166 code such as DE"
    assert said["vat_number"] == (
        "'DE123456789' is not a VAT number of an EU state: look at its letters and check digit"
    )
    assert said["payment_terms_days"] == "must be whole days, 0 to 999"
    assert said["footer"] == "must be at most 2000 printable characters"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("payment_terms_days = '14'", "SETTINGS_TYPE"),
        ("payment_terms_days = true", "SETTINGS_TYPE"),
        ("payment_terms_days = -1", "SETTINGS_VALUE"),
        ("footer = 7", "SETTINGS_TYPE"),
        ("swift = 'BYLADEM1001'", "SETTINGS_KEY"),
    ],
)
def test_what_is_no_value_of_its_key_is_refused(tmp_path: Path, line: str, code: str) -> None:
    with pytest.raises(Refused, match="SETTINGS") as refused:
        told(tmp_path, f"[seller]\n{line}\n")
    assert [fault.code for fault in refused.value.faults] == [code]


def test_a_number_without_a_country_is_judged_by_its_own_letters(tmp_path: Path) -> None:
    told(tmp_path, '[seller]\nvat_number = "DE123456788"\n')
    told(tmp_path, '[seller]\nvat_number = "whatever it is"\n')
    with pytest.raises(Refused, match="SETTINGS"):
        told(tmp_path, '[seller]\nvat_number = "DE123456789"\n')


def test_due_is_by_the_accounts_terms_else_the_sellers_else_two_weeks(tmp_path: Path) -> None:
    clerk = Clerk(tmp_path, "2026-12-10T09:00:00Z", ours="base")
    head = "account_id,name,email,country,language,time_zone,currency,plan,since"
    rows = [
        f"{name},{name},a@a.example,DE,de,Europe/Berlin,EUR,base,2026-10-01,{days}"
        for name, days in (("late", "999"), ("now", "0"))
    ]
    text = "\n".join([f"{head},payment_terms_days", *rows])
    clerk.must("account", "import", clerk.file("terms.csv", text))
    own = {"late": "2029-09-04", "now": "2026-12-10"}
    assert _due(clerk.close("2026-10")) == {**own, "ours": "2026-12-24"}
    clerk.settings("[seller]\nname = 'S'\npayment_terms_days = 30\n")
    november = clerk.close("2026-11")
    assert _due(november) == {**own, "ours": "2027-01-09"}
    assert november[0]["seller"] == {"name": "S", "payment_terms_days": 30}


def _due(documents: list[dict[str, Any]]) -> dict[str, str]:
    return {one["account_id"]: one["due_on"] for one in documents}
