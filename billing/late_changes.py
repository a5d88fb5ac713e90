"""Changes of plans that come too late: months between an account's first and last closed one whose
days two histories tell differently.

Owns how they are found, over all accounts at once, and that the next run looks at them again
(`revisits`). What that run makes of them is not known here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from billing.layout import NOW
from billing.pricebook import PriceBook
from billing.queries import SQL
from billing.rows import load_rows
from warehouse import Store


@dataclass(frozen=True, slots=True)
class Late:
    """A month and the document that closed it: its number, or None of a nil one, and of a month
    that was passed over with nothing to bill. `is_ahead`: the month is open, and the document
    charged fees for it in advance.
    """

    account_id: str
    month: str
    number: str | None
    is_closed: bool
    is_ahead: bool = False

    @property
    def name(self) -> str:
        """As the audit trail tells it."""
        return self.number or f"{'nil' if self.is_closed else 'open'} {self.month}"

    def __str__(self) -> str:
        if self.is_ahead:
            return (
                f"{self.number} has charged {self.month} in advance, which would differ: the "
                f"difference comes with the invoice of {self.month}"
            )
        if not self.is_closed:
            return (
                f"{self.month} was passed over with nothing to bill: what it costs now comes with "
                "the next invoice"
            )
        document = f"{self.number} of" if self.number else "the nil invoice of"
        return (
            f"{document} {self.month} is final and would differ: the difference comes as "
            "adjustments with the next invoice"
        )


def note_histories(books: Store, account_id: str | None = None) -> None:
    """Remembers the plans of all accounts or of one, to be compared with what they become."""
    books.execute(SQL["histories_before"], {"account": account_id})


def changed_histories(books: Store, account_id: str | None = None) -> list[str]:
    """The accounts whose plans are not what was noted, in order."""
    books.execute(SQL["changed_histories"], {"account": account_id})
    return [id for (id,) in books.rows("FROM changed_histories ORDER BY account_id")]


def late_changes(books: Store, versions: Iterable[PriceBook]) -> list[Late]:
    """What the changes found come too late for, in order of account and month; kept among the
    `revisits`, within the caller's transaction. A month that is void is run again anyway.
    """
    having: dict[str, set[str]] = {}
    for version in versions:
        for plan in version.plans:
            having.setdefault(plan.code, set()).add(version.book)
    # `p` and `b/p` cost the same where only one book has the plan.
    sole = ({"plan": plan, "book": min(codes)} for plan, codes in having.items() if len(codes) == 1)
    load_rows(books, "sole_books", sole, {"plan": pa.string(), "book": pa.string()})
    books.execute(SQL["changed_months"])
    books.execute(SQL["revisit_changed"])
    return [Late(*row) for row in books.rows(SQL["late_documents"], {"act": NOW})]
