"""A month with a line of every kind, made by the commands that a clerk types: two accounts on one
book that change their plan in November, one known ahead, one after it had paid for all of it.

Owns the books, the usage and the home; expects nothing.
"""

from functools import partial
from pathlib import Path
from typing import Any

from tests import command_line
from tests.command_line import shown_here as shown
from tests.command_line import usage_event

NOW = "2026-12-04T09:00:00Z"
run = partial(command_line.run_here, now=NOW)

_USAGE = """
[[plan.charge]]
code = "minutes"
description = "Participant minutes"
meter = "participant"
measure = "duration"
unit = "minute"
included = 100
model = "graduated"
tiers = [{ up_to = 1000, unit_price = 0.05, flat = 2 }, { unit_price = 0.025 }]
[[plan.charge]]
code = "rooms"
description = "Rooms at once"
meter = "meeting"
measure = "peak"
model = "volume"
tiers = [{ up_to = 1, unit_price = 9 }, { unit_price = 7.50, flat = 5 }]
[[plan.charge]]
code = "storage"
description = "Recording storage"
meter = "recording"
measure = "quantity"
unit = "GB"
unit_size = 1_000_000_000
included = 5
included_per = "seat"
model = "package"
package_size = 50
package_price = 4.5
[[plan.charge]]
code = "dial_in"
description = "Dial-in minutes"
meter = "dial_in"
measure = "duration"
unit = "minute"
model = "per_unit"
prices = { DE = 0.019, JP = 0.095, "*" = 0.04 }
[[plan.charge]]
code = "shop"
description = "Ticket sales"
meter = "sale"
measure = "quantity"
model = "percentage"
rate_percent = 2.9
fixed = 0.3
[[plan.charge]]
code = "support"
description = "Support"
model = "flat"
amount = 20
discount_percent = 12.5
[[plan.charge]]
code = "whiteboards"
description = "Whiteboards"
meter = "whiteboard"
measure = "count"
unit = "board"
model = "per_unit"
unit_price = 0.8
minimum = 10
[[plan.charge]]
code = "sharing"
description = "Screen sharing"
meter = "screen_share"
measure = "duration"
unit = "hour"
model = "per_unit"
unit_price = 3
discount_percent = 10
maximum = 25
[plan.commitment]
amount = 500
"""
BOOK = f"""
book = "every-2026"
currency = "EUR"
effective_from = 2026-01-01
[[plan]]
code = "team"
name = "Team"
[[plan.fee]]
code = "seats"
description = "Team seats"
amount = 12
interval = "month"
timing = "arrears"
per = "seat"
[[plan.fee]]
code = "base"
description = "Team plan"
amount = 49
interval = "month"
timing = "advance"
{_USAGE}
[[plan]]
code = "large"
name = "Large"
[[plan.fee]]
code = "base"
description = "Large plan"
amount = 99
interval = "month"
timing = "advance"
{_USAGE}
"""
ACCOUNTS = """\
account_id,name,email,country,language,time_zone,currency,plan,since,quantity
acme,Acme,a@acme.example,DE,de,Europe/Berlin,EUR,team,2026-01-01,3
moves,Moves,m@moves.example,JP,ja,Europe/Berlin,EUR,team,2026-10-01,2
moves,Moves,m@moves.example,JP,ja,Europe/Berlin,EUR,large,2026-11-15,4
"""


def _events(account: str, day: str, first: int) -> list[dict[str, Any]]:
    """A day's usage: 25 hours of two participants, two rooms at once, and a little of the rest."""
    at = f"2026-{day}T10:00:00Z"
    used: list[tuple[str, str, dict[str, Any]]] = [
        ("participant", "22:30", {}),
        ("participant", "22:30", {}),
        ("meeting", "11:00", {}),
        ("meeting", "11:00", {}),
        ("recording", "11:00", {"quantity": 117_250_000_000}),
        ("dial_in", "10:20", {"variant": "DE"}),
        ("dial_in", "10:10", {"variant": "JP"}),
        ("dial_in", "10:05", {}),
        ("sale", "10:01", {"quantity": 12_345}),
        ("sale", "10:01", {"quantity": 9_901}),
        ("whiteboard", "10:30", {}),
        ("screen_share", "21:15", {}),
    ]
    return [
        usage_event(first + n, account, at, f"2026-{day}T{end}:00Z", meter=meter, **more)
        for n, (meter, end, more) in enumerate(used)
    ]


def make_home(folder: Path) -> Path:
    """A home with October and November closed."""
    home = folder / "home"
    home.mkdir()
    (folder / "book.toml").write_text(BOOK)
    (folder / "accounts.csv").write_text(ACCOUNTS)
    days = [("acme", "10-05"), ("moves", "10-05"), ("moves", "11-05"), ("moves", "11-20")]
    events = [
        event
        for number, (account, day) in enumerate(days)
        for event in _events(account, day, 100 * number)
    ]
    for command in (
        ("account", "import", str(folder / "accounts.csv")),
        ("price-book", "load", str(folder / "book.toml")),
        ("emit", "-", "--server-id", "fra-1"),
        ("consume", "--once"),
        ("invoice", "run", "--month", "2026-10", "--finalize"),
        ("account", "plan", "acme", "large", "--from", "2026-11-21"),
        ("invoice", "run", "--month", "2026-11", "--finalize"),
    ):
        done = run(home, *command, lines=events if command[0] == "emit" else ())
        assert done.returncode == 0, done.stderr
    return home


def documents(home: Path) -> dict[tuple[str, str], Any]:
    """By account and first day of the period."""
    found = shown(home, "invoice", "list", now=NOW)
    return {(one["account_id"], one["period"]["start"][:7]): one for one in found}
