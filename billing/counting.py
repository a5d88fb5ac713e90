"""Ids counted up in the books: a number is given once, also where what had it is gone."""

from warehouse import Store


def count_up(books: Store, series: str) -> int:
    """The next number, within the caller's transaction. No document has the year 0."""
    sql = "SELECT coalesce(max(last), 0) + 1 FROM counters WHERE series = ? AND year = 0"
    number = int(books.value(sql, [series]))
    books.execute("DELETE FROM counters WHERE series = ? AND year = 0", [series])
    books.execute("INSERT INTO counters (series, year, last) VALUES (?, 0, ?)", [series, number])
    return number
