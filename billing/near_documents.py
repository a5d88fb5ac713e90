"""A few documents and all that is near them, in place of everybody's: what is asked of a few is
then not looked for among all, statement after statement.

Owns what is near: whatever any statement that is asked of a document may find beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from billing.queries import NEAR
from warehouse import Store

# In this order: each statement reads what the ones before it left.
_STATEMENTS: Final = ("documents", "lines", "invoices", "periods", "draws")
_HIDDEN: Final = ("invoice_lines", "invoices", "periods", "prepaid_draws")


@contextmanager
def near_documents(books: Store) -> Iterator[None]:
    """For the block, temporary tables hide those of the books that hold every document's rows: of
    the documents `asked`, of all of their accounts, and of those that these correct or name as the
    origin of a line. The statements that read them, and the macro `charging`, need not know.
    """
    try:
        for name in _STATEMENTS:
            books.execute(NEAR[f"near_{name}"])
        yield
    finally:
        for name in _HIDDEN:
            books.execute(f"DROP TABLE IF EXISTS temp.{name}")
