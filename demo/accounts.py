"""The demo's customers, as the CSV that a billing clerk would import: 200 on three plans."""

import csv
import io
from collections.abc import Iterator

COLUMNS = (
    "account_id", "name", "email", "country", "language", "time_zone", "currency", "plan", "since",
    "quantity", "legal_name", "street", "postal_code", "city", "customer_type",
)  # fmt: skip
_CITIES = (
    ("DE", "de", "Europe/Berlin", "Berlin", "10115", "Invalidenstraße"),
    ("FR", "fr", "Europe/Paris", "Lyon", "69002", "Rue de la République"),
    ("ES", "es", "Europe/Madrid", "Valencia", "46002", "Calle de Colón"),
    ("IE", "en", "Europe/Dublin", "Dublin", "D02 X285", "Fenian Street"),
)
_TRADES = ("Bakery", "Clinic", "School", "Studio", "Foundry", "Library", "Orchard", "Archive")


def accounts_csv(count: int) -> str:
    """`count` accounts, `a0001` on: seven in ten starter, one in four business, the rest seats. In
    October some starters move up to business, and some enterprises have more seats.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(row for number in range(1, count + 1) for row in _history(number))
    return out.getvalue()


def _history(number: int) -> Iterator[tuple[str, ...]]:
    plan = "enterprise" if number % 20 == 0 else "business" if number % 4 == 1 else "starter"
    seats = 5 + number % 40 if plan == "enterprise" else 1
    yield _row(number, plan, "2026-01-01", seats)
    if number % 25 == 3 and plan == "starter":
        yield _row(number, "business", "2026-10-15", 1)
    if number % 40 == 20:
        yield _row(number, plan, "2026-10-12", seats + 3)


def _row(number: int, plan: str, since: str, seats: int) -> tuple[str, ...]:
    country, language, zone, city, code, street = _CITIES[number % len(_CITIES)]
    name = f"{city} {_TRADES[number % len(_TRADES)]} {number}"
    return (
        f"a{number:04}",
        name,
        f"billing@a{number:04}.example",
        country,
        language,
        zone,
        "EUR",
        plan,
        since,
        str(seats),
        f"{name} Ltd",
        f"{street} {number}",
        code,
        city,
        "business",
    )
