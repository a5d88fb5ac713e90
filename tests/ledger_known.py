"""What is known of some accounts while their months are closed and corrected: usage, plans, items,
the documents so far, and what the oracle makes of them.
"""

from datetime import date
from fractions import Fraction
from typing import Final

from tests import recount
from tests.ledger_world import Event
from tests.oracle_accounts import Accounts
from tests.oracle_calendar import month_after
from tests.oracle_ledger import ZERO, Document, Ledger, mine, total
from tests.oracle_month import Used, used

OCTOBER: Final = date(2026, 10, 1)


class Known:
    """`documents` are all that are no drafts, by id; `items` are account, day and amount. Months of
    an account are `left_open` where something stood against closing them once.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.accounts = Accounts(())
        self.ledger = Ledger(self.accounts, self.usage)
        self.documents: dict[str, Document] = {}
        self.items: list[tuple[str, date, Fraction]] = []
        self.left_open: set[tuple[str, date]] = set()
        self._used: tuple[list[Event], int, list[Used]] = (self.events, 0, [])

    def share(self, other: "Known") -> None:
        """Knows what the other does, and closes months by itself from now on."""
        self.events, self.accounts, self.items = other.events, other.accounts, other.items
        self.documents, self.ledger = dict(other.documents), other.ledger.copy()
        self.left_open = set(other.left_open)

    def usage(self, account: str) -> list[Used]:
        if self._used[0] is not self.events or self._used[1] != len(self.events):
            self._used = (self.events, len(self.events), used(recount.records(self.events)))
        return [one for one in self._used[2] if one.account_id == account]

    def month(self, document: Document) -> date:
        """The first day of the month that a document is of."""
        return self.ledger.month_of(document["account_id"], {"period": document["period"]})

    def standing(self, account: str) -> list[Document]:
        """What runs made of an account's months and that is not void."""
        return [
            one
            for one in mine(account, self.documents.values())
            if one["credit"] is None and not one["apart"] and one["status"] != "void"
        ]

    def void(self) -> set[tuple[date, str]]:
        """Month and account of what is void and was not run again."""
        states: dict[tuple[date, str], set[str]] = {}
        for one in self.documents.values():
            if one["credit"] is None and not one["apart"]:
                states.setdefault((self.month(one), one["account_id"]), set()).add(one["status"])
        return {place for place, found in states.items() if found == {"void"}}

    def next(self, account: str) -> date:
        """The first month that is neither closed nor was."""
        last = self.ledger.last(account)
        return month_after(last) if last else OCTOBER

    def between(self, account: str, month: date) -> list[date]:
        """The months from the next to the one before this."""
        found = []
        at = self.next(account)
        while at < month:
            found.append(at)
            at = month_after(at)
        return found

    def comes_first(self, account: str, month: date) -> set[date]:
        """As the ledger's, of all documents so far."""
        return self.ledger.comes_first(account, month, list(self.documents.values()))

    def ahead(self) -> list[date]:
        """The months from the first that some account has not closed to the one after the last
        that any has.
        """
        following = [self.next(account) for account in self.accounts.known]
        found = [min(following)]
        while found[-1] < max(following):
            found.append(month_after(found[-1]))
        return found

    def items_of(self, account: str, month: date) -> Fraction:
        """What its document says once: items of the month, and what was conceded on documents of
        it that are void.
        """
        documents = mine(account, self.documents.values())
        void = {
            one["number"]
            for one in documents
            if one["status"] == "void" and self.month(one) == month
        }
        conceded = (one for one in documents if one["credit"] == "concession")
        carried = total(one for one in conceded if one["corrects"] in void)
        return self.billed(account, {month}) + carried

    def billed(self, account: str, months: set[date]) -> Fraction:
        """What the items of these months come to."""
        ours = [(day, amount) for name, day, amount in self.items if name == account]
        return sum((amount for day, amount in ours if day.replace(day=1) in months), ZERO)
