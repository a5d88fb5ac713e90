"""The command that proves invoices: verify."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

import click

from billing import Finding, LogRecords, Month, Verification, open_books, verify_documents
from billing.invoice_commands import month_option
from billing.wording import counted
from edge import Fault, Refused
from edge.command import common, left_undone, progress, say, say_some, settings, show_rows
from edge.log_options import archive_option, from_option
from warehouse import Store

_WORST: Final = ("whole", "late", "not compared", "log gone", "broken")
_COLUMNS: Final = ("document", "status", "account_id", "month", "records", "found")


@click.command("verify")
@click.argument("names", metavar="[NUMBER-OR-ID]...", nargs=-1)
@click.option("--month", callback=month_option, metavar="YYYY-MM", help="All of a month.")
@click.option("--all", "everything", is_flag=True, help="All there are, and their numbers.")
@click.option("--from-log", is_flag=True, help="Read the log too, up to each snapshot.")
@from_option
@archive_option
@click.option("--no-documents", is_flag=True, help="Leave the PDFs out, which takes long of many.")
@common
def verify_command(  # noqa: PLR0913, PLR0917
    names: Sequence[str],
    month: Month | None,
    everything: bool,
    from_log: bool,
    log: str | None,
    archive: Path | None,
    no_documents: bool,
) -> None:
    """Derive closed documents again, name all that differs.

    From the evidence to the lines, from the usage store to the evidence, with --from-log from the
    log to the evidence. Late usage is told and is no fault: a later document adjusts it. With
    --month and --all whole evidence files and the audit trail too.

    \b
    Example: homemeeting invoice verify HM-2026-000001 --from-log
    Exit codes: 0 all is as it was closed, or late; 1 refused, or something is broken or gone; 2
    wrong usage.
    """
    if bool(names) + bool(month) + everything != 1:
        raise click.UsageError("Name documents, or a month by --month, or --all.")
    if (log or archive) and not from_log:
        raise click.UsageError("--from and --archive go with --from-log.")
    home = settings()
    logged: AbstractContextManager[LogRecords | None] = nullcontext()
    if from_log:
        from audit.logged import open_logged  # noqa: PLC0415  loads what reads the log

        logged = open_logged(home, log, archive)
    with open_books(home, make=False) as books:
        chosen = _choose(books, names, month)
        with (
            logged as records,
            progress("Verifying", 0 if no_documents else len(chosen)) as advance,
        ):
            asked = Verification(
                whole=not names,
                numbers=everything,
                papers=not no_documents,
                log=records,
                progress=advance,
            )
            findings = verify_documents(books, home, [row["id"] for row in chosen], asked)
        _show(chosen, findings)


def _choose(books: Store, names: Sequence[str], month: Month | None) -> list[dict[str, Any]]:
    """Closed documents. Refuses with INVOICE_UNKNOWN and NOT_FINAL, every fault listed."""
    sql = """SELECT id, coalesce(number, id) AS document, status, account_id, month,
        evidence_rows AS records
    FROM invoices
    WHERE ($month IS NULL OR month = $month) AND (
        len($names) = 0 OR number IN (SELECT unnest($names))
        OR id IN (SELECT unnest($names))
    ) AND (len($names) > 0 OR status <> 'draft')
    ORDER BY run, id"""
    told = {"month": str(month) if month else None, "names": list(names)}
    found = books.records(sql, told)
    known = {row[name] for row in found for name in ("id", "document")}
    faults = [
        Fault("INVOICE_UNKNOWN", name, "there is no such document")
        for name in names
        if name not in known
    ]
    faults += [
        Fault("NOT_FINAL", row["document"], "is a draft: there is nothing yet to be held to")
        for row in found
        if row["status"] == "draft"
    ]
    if faults:
        raise Refused(faults[0].code, "nothing was verified", faults)
    if not found:
        raise Refused("NOTHING_CLOSED", "nothing is closed there: nothing was verified")
    return found


def _found(code: str) -> str:
    if code.startswith("STORE_"):
        return "not compared"
    return "log gone" if code in ("LOG_GONE", "LOG_OTHER") else "broken"


def _show(chosen: Sequence[dict[str, Any]], findings: Sequence[Finding]) -> None:
    worst: dict[str | None, str] = defaultdict(lambda: "whole")
    for one in findings:
        if not one.is_late:
            now = _found(one.fault.code)
            worst[one.invoice] = max(worst[one.invoice], now, key=_WORST.index)
    for one in findings:
        if one.fault.code == "RECORD_LATE":
            worst.setdefault(one.invoice, "late")
    rows = ({**row, "found": worst[row["id"]]} for row in chosen)
    show_rows(rows, _COLUMNS, "there is nothing to verify")
    say_some([one.fault for one in findings if one.is_late])
    faults = list(dict.fromkeys(one.fault for one in findings if not one.is_late))
    left_undone("NOT_VERIFIED", f"{counted(len(faults), 'fault')} found", faults)
    say(f"{counted(len(chosen), 'document')} verified" if chosen else "nothing was verified")


COMMANDS: tuple[click.Command, ...] = (verify_command,)
