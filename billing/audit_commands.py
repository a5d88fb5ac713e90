"""The audit commands: log."""

import json
from typing import Any

import click

from billing.audit_trail import broken_links, entries
from billing.books import open_books
from edge.command import common, form, left_undone, settings, show_rows
from edge.instants import instant

_LOG = ("entry", "at", "who", "action", "subject", "reason")
_DETAILS = ("details", "previous_sha256", "sha256")


@click.group()
def audit() -> None:
    """The audit trail: log.

    \b
    Example: homemeeting audit log
    Exit codes: 0 done; 1 refused or left undone, see stderr; 2 wrong usage.
    """


@audit.command("log")
@common
def log_command() -> None:
    """Who did what, when and why, oldest first.

    With --format json in every detail.

    \b
    Example: homemeeting audit log --format json
    Exit codes: 0 shown; 1 refused, or an entry is not what was written; 2 wrong usage.
    """
    with open_books(settings(), make=False) as books:
        rows = entries(books)
    faults = broken_links(rows)
    shown = [
        row | {"at": instant(row["at_us"]), "details": _details(row["details"])} for row in rows
    ]
    columns = (*_LOG, *_DETAILS) if form() == "json" else _LOG
    show_rows(shown, columns, "the audit trail is empty")
    left_undone("AUDIT_BROKEN", f"{len(faults)} links of the audit trail are broken", faults)


def _details(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # not what was written: its fault follows
        return text


COMMANDS: tuple[click.Command, ...] = (audit,)
