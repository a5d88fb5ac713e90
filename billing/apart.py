"""Documents apart: the lines of a month's draft that must not stand with the rest of it.

Owns how a draft is parted in two. Which lines those are, by the table `apart_lines`, is told by who
decided on their tax, or by what is frozen.
"""

from typing import Any

from billing.queries import APART
from warehouse import Store


def part_lines(books: Store, told: dict[str, Any]) -> bool:
    """Marks them among `extra_lines`, moves those of `draft_lines` there, and numbers both anew;
    whether there are any. `told`: month and act.
    """
    if not books.value("SELECT count(*) FROM apart_lines"):
        return False
    books.execute(APART["extra_lines"], told)
    books.execute(APART["draft_lines"])
    return True


def part_drafts(books: Store, told: dict[str, Any]) -> bool:
    """The same, and gives what stands apart a draft of its own; after `drafted_lines`."""
    if not part_lines(books, told):
        return False
    for name in ("counts", "documents", "sums"):
        books.execute(APART[name])
    return True
