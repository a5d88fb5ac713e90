"""Documents of every kind that an electronic invoice is made of, with their taxes.

Owns lines whose amounts are what their arithmetic says, and taxes worked out on their sums, rounded
half up; reads nothing of the product.
"""

import random
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

Told = dict[str, Any]
SELLER: Told = {
    "name": "HomeMeeting",
    "legal_name": "HomeMeeting GmbH",
    "street": "Lindenallee 4",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
    "contact": "Accounts receivable",
    "phone": "+49 30 123456",
    "email": "billing@homemeeting.example",
    "vat_number": "DE136695976",
    "registration_id": "HRB 12345",
    "iban": "DE02 1203 0000 0000 2020 51",
    "bic": "BYLADEM1001",
    "endpoint": "9930:DE136695976",
    "payment_terms_days": 14,
    "footer": "Managing director: Ada Example",
}
BUYER: Told = {
    "account_id": "acme",
    "name": "Acme",
    "legal_name": "Acme Handel GmbH",
    "street": "Hauptstraße 1",
    "postal_code": "20095",
    "city": "Hamburg",
    "region": None,
    "country": "DE",
    "email": "ap@acme.example",
    "vat_number": "DE129273398",
    "registration_id": None,
    "purchase_order": None,
    "buyer_reference": None,
    "endpoint": None,
}
PERIOD = {"start": "2026-10-01T00:00:00+02:00", "end": "2026-11-01T00:00:00+01:00"}
AHEAD = {"start": "2026-11-01T00:00:00+01:00", "end": "2026-12-01T00:00:00+01:00"}
REASONS = {"E": "Exempt: public school", "AE": "Reverse charge", "O": "Not subject to VAT"}
S19, S7, S16, ZERO = ("S", "19"), ("S", "7"), ("S", "16"), ("Z", "0")
EXEMPT, REVERSED, OUTSIDE = ("E", "0"), ("AE", "0"), ("O", None)


def rounded(amount: Decimal, places: int) -> Decimal:
    """Half up, and never minus nothing."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0


def line(amount: Any, tax: Any = S19, **changes: Any) -> Told:
    """A line of an amount alone."""
    return {
        "id": "d1.0001", "kind": "item", "code": "training", "description": "Training",
        "variant": None, "period": PERIOD, "quantity": None, "unit": None, "included": None,
        "tiers": [], "packages": None, "discount": None, "bound": None, "amount": str(amount),
        "origin": None, "credits": None, "concession": None, "proration": None,
        "basis": {"amount": str(amount)},
        "tax": {"category": tax[0], "rate_percent": tax[1]},
        **changes,
    }  # fmt: skip


def fee(price: str, seats: int = 1, tax: Any = S19, **changes: Any) -> Told:
    about = {"kind": "fee", "code": "seats", "description": "Team seats", "unit": "seat"}
    told = {**about, "quantity": str(seats), "basis": {"amount": price}}
    return line(Decimal(price) * seats, tax, **{**told, **changes})


def usage(
    quantity: str, price: str, discount: str | None = None, tax: Any = S19, *, places: int = 2,
    included: int = 0, **changes: Any,
) -> Told:  # fmt: skip
    """One price, some of it free, some of the rest taken off in percent."""
    net = Decimal(quantity) - included
    full = net * Decimal(price)
    basis: Told = {"model": "per_unit"}
    if included:
        basis |= {"included": str(included), "included_per": "plan"}
    off = Decimal(0)
    if discount is not None:
        off = -full * Decimal(discount) / 100
        basis["discount_percent"] = discount
    about = {
        "kind": "usage", "code": "minutes", "description": "Participant minutes", "unit": "minute",
        "quantity": quantity, "included": str(included) if included else None, "basis": basis,
        "discount": None if discount is None else f"{off:f}",
        "tiers": [_tier(None, f"{net:f}", price, "0", full)],
    }  # fmt: skip
    return line(rounded(full + off, places), tax, **{**about, **changes})


def tiers(tax: Any = S19, **changes: Any) -> Told:
    """12,345 minutes over two tiers: 40 and 7.035, and 2.50 once."""
    told = [
        _tier("10000", "10000", "0.004", "2.5", Decimal("42.5")),
        _tier(None, "2345", "0.003", "0", Decimal("7.035")),
    ]
    about = {"description": "Participant minutes", "quantity": "12345", "unit": "minute"}
    basis = {"model": "graduated"}
    return line(
        "49.54", tax, kind="usage", code="minutes", tiers=told, basis=basis, **about, **changes
    )


def packages(tax: Any = S19) -> Told:
    """117.25 GB in three packages at 4.50."""
    basis = {
        "model": "package", "package_price": "4.5", "package_size": "50", "package_rounding": "up",
    }  # fmt: skip
    tier = _tier(None, "117.25", "4.5", "0", Decimal("13.5"))
    about = {"description": "Storage", "quantity": "117.25", "unit": "GB", "packages": "3"}
    return line("13.50", tax, kind="usage", code="storage", tiers=[tier], basis=basis, **about)


def adjustment(amount: str, number: str | None, tax: Any = S19, **changes: Any) -> Told:
    september = {"start": "2026-09-01T00:00:00+02:00", "end": "2026-10-01T00:00:00+02:00"}
    told = {"number": number, "issued_on": "2026-10-02", "period": september}
    origin = told if number else None
    basis = {"advance": False}
    return line(
        amount, tax, kind="adjustment", description="Minutes of September", origin=origin,
        basis=basis, **{"period": september, **changes},
    )  # fmt: skip


def _tier(up_to: str | None, quantity: str, price: str, flat: str, amount: Decimal) -> Told:
    told = {"up_to": up_to, "quantity": quantity, "unit_price": price, "flat": flat}
    return {**told, "amount": f"{amount:f}"}


def document(*lines: Told, places: int = 2, **changes: Any) -> Told:
    """A final invoice of these lines, or what `changes` make of it; `prepaid` is taken off."""
    total = sum((Decimal(one["amount"]) for one in lines), Decimal(0))
    taxes = list(_taxes(lines, places))
    tax = sum((Decimal(one["tax"]) for one in taxes), Decimal(0))
    prepaid = changes.get("prepaid")
    return {
        "id": "d1", "kind": "invoice", "status": "final", "number": "HM-2026-000042",
        "issued_on": "2026-11-02", "due_on": "2026-11-16", "corrects": None,
        "corrects_issued_on": None, "credit": None, "reason": None, "apart": False,
        "account_id": "acme", "currency": "EUR", "plan": "business",
        "period": PERIOD, "seller": SELLER, "buyer": BUYER, "lines": list(lines),
        "subtotal": f"{rounded(total, places):f}", "taxes": taxes,
        "tax": f"{rounded(tax, places):f}", "tax_in": None,
        "total": f"{rounded(total + tax, places):f}", "prepaid": None,
        "due": f"{rounded(total + tax - Decimal(prepaid or 0), places):f}",
        **changes,
    }  # fmt: skip


def _taxes(lines: Any, places: int) -> Any:
    def key(one: Told) -> tuple[str, Decimal]:
        return one["tax"]["category"], -Decimal(one["tax"]["rate_percent"] or 0)

    for (category, rate), held in groupby(sorted(lines, key=key), key=key):
        taxable = sum(Decimal(one["amount"]) for one in held)
        yield {
            "category": category,
            "rate_percent": None if category == "O" else f"{-rate:f}",
            "country": "DE",
            "taxable": f"{rounded(Decimal(taxable), places):f}",
            "tax": f"{rounded(taxable * -rate / 100, places):f}",
            "reason": REASONS.get(category),
        }


def credit_note(*lines: Told, **changes: Any) -> Told:
    about = {"kind": "credit_note", "number": "CN-2026-000007", "due_on": None}
    corrected = {"corrects": "HM-2026-000042", "corrects_issued_on": "2026-11-02"}
    return document(*lines, **{**about, **corrected, **changes})


def of(told: Told, **changes: Any) -> Told:
    """A party with some of it changed."""
    return {**told, **changes}


FRENCH = of(BUYER, country="FR", vat_number="FR83404833048", city="Paris", postal_code="75001")
AMERICAN = of(BUYER, country="US", vat_number=None, region="CA", city="Palo Alto")
BELGIAN = of(
    BUYER, country="BE", vat_number="BE0403019261", city="Gent", postal_code="9000",
    endpoint="0208:0403019261", purchase_order="PO-4711",
)  # fmt: skip
# Of countries whose rules Peppol knows, and of one without: VAT number, endpoint, registration.
_NUMBERS = {
    "AT": ("ATU13585627", "9915:b", "FN 12345a"),
    "DE": ("DE136695976", "9930:DE136695976", "HRB 12345"),
    "DK": ("DK13585628", "0184:13585628", "0184:13585628"),
    "GR": ("EL094259216", "9933:094259216", "123456789000"),
    "IS": ("IS12345", "0196:5501692829", "0196:5501692829"),
    "IT": ("IT00743110157", "0211:IT00743110157", "MI-1234567"),
    "NL": ("NL004495445B01", "0106:30265432", "0106:30265432"),
    "NO": ("NO974760673MVA", "0192:974760673", "0192:974760673"),
    "SE": ("SE556012579001", "0007:5560125790", "0007:5560125790"),
}
NATIONAL = tuple(_NUMBERS)
ABROAD = ("IS", "NO")  # outside the EU


def national(party: Told, country: str) -> Told:
    """Who is there, with numbers as they are there."""
    vat, endpoint, registration = _NUMBERS[country]
    numbers = {"vat_number": vat, "endpoint": endpoint, "registration_id": registration}
    return of(party, country=country, **numbers)


def sold(seller: str, buyer: str, *, is_credit_note: bool) -> Told:
    """By a seller of this country to a buyer of that, as a reference was told."""
    tax = REVERSED if not {seller, buyer} & {*ABROAD} else OUTSIDE
    lines = [fee("49.00", tax=("S", "25") if seller == buyer else tax)]
    make = credit_note if is_credit_note else document
    bought = of(national(BUYER, buyer), buyer_reference="R-7")
    return make(*lines, seller=national(SELLER, seller), buyer=bought)


ODD = "Ünï <b>&amp;\x00\x07\x1b[31m]]>\ud800\ufffe\u2028\U0001f389 " + "名" * 2000

MATRIX: dict[str, Told] = {
    "two lines": document(fee("49.00"), usage("13345", "0.004", included=1000)),
    "200 lines": document(*(usage(str(n), "0.0137", code=f"m{n}") for n in range(1, 200)), tiers()),
    "tiers and packages": document(tiers(), packages(), fee("12", 3)),
    "discount": document(usage("100", "3", "12.5", unit="hour"), line("-5.00", kind="discount")),
    "negative lines": document(fee("49.00"), adjustment("-12.34", "HM-2026-000017")),
    "negative in all": document(fee("9.00"), line("-12.34", kind="discount"), due_on=None),
    "two rates": document(fee("10.00"), line("20.00", S7), line("30.00", S16), line("5", S7)),
    "sale at another country's rate": document(
        fee("33.33", tax=("S", "20")), buyer=of(FRENCH, vat_number=None)
    ),
    "two countries' tax at one rate": document(
        line("0.13"), line("0.13"), tax="0.04", total="0.30", due="0.30",
        taxes=[{**document(line("0.13"))["taxes"][0], "country": at} for at in ("CY", "DE")],
    ),
    "reverse charge": document(fee("49.00", tax=REVERSED), buyer=FRENCH),
    "reverse charge and old adjustment": document(
        fee("49.00", tax=REVERSED), adjustment("-1.00", "HM-2026-000003"), buyer=FRENCH
    ),
    "exempt": document(fee("49.00", tax=EXEMPT), tiers(EXEMPT)),
    "exempt and zero": document(fee("49.00", tax=EXEMPT), line("10.00", ZERO), fee("8")),
    "not subject to VAT": document(fee("49.00", tax=OUTSIDE), tiers(OUTSIDE), buyer=AMERICAN),
    "zero rated": document(fee("49.00", tax=ZERO)),
    "nothing to pay": document(fee("0.00"), usage("0", "0.004")),
    "prepaid": document(fee("49.00"), prepaid="20.00"),
    "prepaid in full": document(fee("100.00"), prepaid="119.00"),
    "tax in another currency": document(
        fee("100.00"), currency="USD", tax_in={"currency": "EUR", "rate": "0.9213", "tax": "17.50"}
    ),
    "yen": document(
        usage("13345", "0.4", places=0), fee("1000"), line("-250"), places=0, currency="JPY",
        seller=of(SELLER, country="JP", vat_number="T1234567890123", iban=None),
        buyer=of(BUYER, country="JP", vat_number=None),
    ),
    "francs": document(fee("49.00"), currency="CHF"),
    "Greek numbers": document(
        fee("49.00", tax=("S", "24")), seller=of(SELLER, country="GR", vat_number="094259216"),
    ),
    "ahead and behind": document(fee("49.00", period=AHEAD), adjustment("3.00", "HM-2026-000017")),
    "credit note": credit_note(adjustment("10.00", "HM-2026-000042"), credit="concession"),
    "correction": credit_note(
        adjustment("10.00", "HM-2026-000042"), adjustment("2.50", "HM-2026-000042", S7),
        credit="correction", reason="a wrong price",
    ),
    "void": credit_note(
        adjustment("49.00", "HM-2026-000042"), adjustment("-9.00", "HM-2026-000042"), credit="void"
    ),
    "void of a credit note": document(
        adjustment("10.00", "CN-2026-000007"), credit="void", corrects="CN-2026-000007"
    ),
    "credit note of a run": credit_note(
        adjustment("30.00", "HM-2026-000017"), of(fee("4.00"), amount="-4.00"),
        corrects=None,
        prepaid="5.00",
    ),
    "bare parties": document(
        fee("49.00"), due_on=None,
        seller={"name": "A", "country": "DE", "vat_number": "DE136695976"},
        buyer={"name": "B", "country": "DE"},
    ),
    "odd texts": document(
        fee("49.00", description=ODD, variant=ODD, code=ODD), number=f"X {ODD}", reason=ODD,
        seller=of(SELLER, name=ODD, footer=ODD), account_id=ODD,
        buyer=of(BUYER, legal_name=ODD, street=ODD, region=ODD, email=ODD, purchase_order=ODD),
    ),
    "names of nothing but space": document(
        fee("49.00", description=" \x0b ", code=" "), seller=of(SELLER, legal_name=" "),
        buyer=of(BUYER, legal_name="\t", street=" \n "),
    ),
    "numbers of any length": document(
        usage("123456789012345.123456789012345678901234", "0.000000000001", "33.333"),
        line("8333333333333.33"), line("-99999999999.99"),
    ),
    "by Peppol": document(
        fee("49.00", tax=REVERSED), usage("100", "3", "12.5", tax=REVERSED), tiers(REVERSED),
        buyer=BELGIAN,
    ),
    "credit note by Peppol": credit_note(
        adjustment("9.00", "HM-2026-000042", REVERSED), buyer=BELGIAN
    ),
    "in Japanese": document(
        tiers(REVERSED), packages(REVERSED), adjustment("-1.00", "HM-2026-000003", REVERSED),
        line("-2.00", REVERSED, concession="CN-2026-000007"), due_on=None,
        buyer=of(BELGIAN, language="ja"),
    ),
    "an address, but no order": document(
        fee("49.00", tax=REVERSED), buyer=of(BELGIAN, purchase_order=None)
    ),
}  # fmt: skip


def drawn_document(rng: random.Random) -> Told:
    """Any of them: categories that go together, lines of every kind, odd texts here and there."""
    places, currency = rng.choice([(2, "EUR"), (2, "USD"), (2, "HUF"), (0, "JPY"), (0, "KRW")])
    categories, buyer = rng.choice(
        [
            ([S19, S7, S16, ("S", "25.5")], BUYER),
            ([S19, ZERO, EXEMPT], BUYER),
            ([REVERSED, S19], FRENCH),
            ([REVERSED], BELGIAN),
            ([OUTSIDE], AMERICAN),
        ]
    )
    lines = [_drawn_line(rng, rng.choice(categories), places) for _ in range(rng.randint(1, 12))]
    texts = {rng.choice(["street", "region", "legal_name"]): rng.choice([ODD, "x", "Müller & Co"])}
    language = rng.choice(["de", "en", "es", "fr", "ja"])
    changes: Told = {"currency": currency, "buyer": of(buyer, language=language, **texts)}
    if rng.random() < 0.3:
        changes |= {"prepaid": f"{rounded(Decimal(rng.randint(0, 10**5)) / 100, places):f}"}
    if currency != "EUR" and rng.random() < 0.5:
        tax = Decimal(document(*lines, places=places)["tax"])
        changes["tax_in"] = {"currency": "EUR", "rate": "0.9", "tax": f"{rounded(tax * 9 / 10, 2)}"}
    make = credit_note if rng.random() < 0.3 else document
    return make(*lines, places=places, **changes)


def _drawn_line(rng: random.Random, tax: Any, places: int) -> Told:
    amount = f"{rounded(Decimal(rng.randint(-(10**6), 10**7)) / 100, places):f}"
    match rng.randrange(5):
        case 0:
            return fee(f"{rng.randint(0, 500)}", rng.randint(1, 50), tax)
        case 1:
            quantity = f"{Decimal(rng.randint(0, 10**6)).scaleb(-rng.randint(0, 6)):f}"
            price = f"{Decimal(rng.randint(0, 10**6)).scaleb(-rng.randint(0, 6)):f}"
            off = rng.choice([None, "10", "12.5", "33.333", "100"])
            unit = rng.choice(["minute", "hour", "GB", "board"])
            return usage(quantity, price, off, tax, places=places, unit=unit)
        case 2:
            return adjustment(amount, rng.choice([None, "HM-2026-000017", "HM-2026-000018"]), tax)
        case 3:
            return line(amount, tax, description=rng.choice([ODD, "Training"]))
    return line(amount, tax, kind="discount", period=rng.choice([PERIOD, AHEAD]))
