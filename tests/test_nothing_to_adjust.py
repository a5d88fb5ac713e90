"""Where nothing is looked at again, the tables that tell of it are as rating would leave them."""

from pathlib import Path

from billing import Closing, Month, lay_out, load_catalogue, open_books, run_invoices
from billing.drafts import drafted, lay_out_work
from billing.queries import NO_ADJUSTMENTS
from edge import Settings
from tests.billed import fill_books, record, store_usage
from tests.homes import HEADER
from tests.test_advance_fees import BOOK, NOVEMBER, NOW_US, OCTOBER
from warehouse import Store


def _columns(books: Store, home: Settings, month: Month) -> dict[str, list[tuple[str, str]]]:
    catalogue = load_catalogue(books)
    work = lay_out_work(books, home, catalogue, lay_out(books, catalogue, month))
    with drafted(books, home, work):
        return {
            name: [(column, kind) for column, kind, *_ in books.rows(f"DESCRIBE {name}")]
            for name in NO_ADJUSTMENTS.all()
        }


def test_they_have_the_columns_that_rating_would_give_them(tmp_path: Path) -> None:
    home = Settings(tmp_path, None, "clerk")
    store_usage(home, [record(1, "a")])
    fill_books(home, [BOOK], f"{HEADER}a,A,a@a.example,DE,en,UTC,EUR,p,2026-10-01,,1\n")
    with open_books(home) as books:
        without = _columns(books, home, OCTOBER)
        assert run_invoices(books, home, OCTOBER, None, Closing(NOW_US, "clerk")) == []
        books.execute("INSERT INTO revisits VALUES ('a', '2026-10', 'plan')")
        assert _columns(books, home, NOVEMBER) == without
