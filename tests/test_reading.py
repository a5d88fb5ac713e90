"""Reading a store whoever holds it: the same copies, of one state, from the file and its writer."""

import hashlib
import json
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from edge import Refused
from warehouse import copy_tables, open_store, read_store, whole

KINDS = """
SELECT i AS number, (i * 10^20::HUGEINT)::HUGEINT AS wide, md5(i::VARCHAR)::UUID AS id,
    make_timestamp(i * 1000001) AS moment, CASE WHEN i % 2 = 0 THEN 'even' END AS parity,
    {'a': i, 'b': [i]} AS nested, i::VARCHAR::BLOB AS raw
FROM range(100) s(i)
"""
SELECTS = {
    "kinds": "FROM kinds WHERE number >= $low AND number < $high -- a comment at the end",
    "sums": "SELECT sum(wide)::HUGEINT AS total, max(moment) AS latest FROM kinds",
    "nothing": "FROM kinds WHERE false",
    "listed": "SELECT number FROM kinds WHERE id IN (SELECT unnest($ids))",
    "others": "SELECT sum(number) AS total FROM kinds ANTI JOIN $listed AS listed USING (number)",
    "unlisted": "SELECT number FROM kinds WHERE id IN (SELECT unnest($no_ids))",
}
IDS = [uuid.UUID(hashlib.md5(str(number).encode()).hexdigest()) for number in (3, 99, 100)]
BOUNDS = {"low": 10, "high": 90, "ids": IDS, "no_ids": []}


def _copies(path: Path) -> tuple[object, ...]:
    with read_store(path, "usage", SELECTS, BOUNDS).closing() as found:
        rows = {name: sorted(found.rows(f"FROM {name}"), key=str) for name in SELECTS}
        types = {name: found.rows(f"DESCRIBE {name}") for name in SELECTS if rows[name]}
    return rows, types


def test_the_file_and_its_writer_give_the_same_copies(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    with open_store(path, "usage").closing() as store:
        store.execute(f"CREATE TABLE kinds AS {KINDS}")
    from_file = _copies(path)
    with open_store(path, "usage").closing() as store:
        store.serve()
        served = _copies(path)
    assert served == from_file == _copies(path)
    rows = from_file[0]
    assert isinstance(rows, dict)
    assert len(rows["kinds"]) == 80
    assert (rows["listed"], rows["unlisted"]) == ([(3,), (99,)], [])
    assert rows["others"] == [(sum(range(100)) - 3 - 99,)]


def test_copies_are_of_one_state_while_the_writer_commits(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    stop = threading.Event()
    with open_store(path, "usage").closing() as store:
        store.execute("CREATE TABLE here AS SELECT 0 AS n")
        store.execute("CREATE TABLE there AS SELECT 0 AS n")
        store.serve()

        def write() -> None:
            while not stop.is_set():
                with store.transaction():
                    store.execute("UPDATE here SET n = n + 1")
                    store.execute("UPDATE there SET n = n + 1")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen: list[int] = []
            for _ in range(1000):
                if len(seen) >= 20 and seen[-1] > seen[0]:
                    break
                with read_store(path, "usage", whole("here", "there")).closing() as found:
                    here, there = found.value("FROM here"), found.value("FROM there")
                    assert here == there
                    seen.append(here)
        finally:
            stop.set()
            writer.join()
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]


def test_copies_join_what_the_reader_has_and_replace_older_ones(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    with open_store(path, "usage").closing() as store:
        store.execute("INSERT INTO positions VALUES ('journal', 't', 's', 7)")
    with open_store(tmp_path / "books.duckdb", "books").closing() as books:
        for _ in range(2):
            selects = whole("positions") | {"ends": "SELECT max(next) AS next FROM positions"}
            copy_tables(books, path, "usage", selects)
            assert books.rows("FROM positions") == [("journal", "t", "s", 7)]
            assert books.value("FROM ends") == 7
            assert books.value("SELECT count(*) FROM accounts") == 0
    with open_store(path, "usage").closing() as store:  # nothing holds the file any longer
        assert store.value("SELECT next FROM positions") == 7


def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with open_store(tmp_path / "usage.duckdb", "usage").closing() as store:
        store.execute("UPDATE store_version SET version = version - 1")
    with pytest.raises(Refused, match="STORE_OLDER"):
        read_store(tmp_path / "usage.duckdb", "usage", whole("positions"))
    with open_store(tmp_path / "new.duckdb", "usage").closing() as store:
        store.execute("UPDATE store_version SET version = version + 1")
        store.serve()
        with pytest.raises(Refused, match="STORE_NEWER"):
            read_store(tmp_path / "new.duckdb", "usage", whole("positions"))
    with pytest.raises(Refused, match="STORE_FOREIGN"):
        open_store(tmp_path / "new.duckdb", "books")
    (tmp_path / "garbage.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(Refused, match="STORE_CORRUPT"):
        read_store(tmp_path / "garbage.duckdb", "usage", whole("positions"))


def test_another_store_at_the_port_of_a_killed_writer_is_not_asked(tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        open_store(tmp_path / name / "usage.duckdb", "usage").close()
    with open_store(tmp_path / "theirs" / "usage.duckdb", "usage").closing() as theirs:
        theirs.execute("INSERT INTO positions VALUES ('theirs', 't', 's', 1)")
        theirs.serve()
        notice = tmp_path / "theirs" / "usage.duckdb.serving"
        told = json.loads(notice.read_text()) | {"token": "of the killed writer"}
        (tmp_path / "mine" / "usage.duckdb.serving").write_text(json.dumps(told))
        selects = whole("positions")
        with read_store(tmp_path / "mine" / "usage.duckdb", "usage", selects).closing() as found:
            assert found.rows("FROM positions") == []


def test_a_store_held_by_a_writer_that_does_not_serve_names_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from warehouse import open_store\n"
        "store = open_store(Path(sys.argv[1]), 'usage'); print('open', flush=True); input()"
    )
    path = tmp_path / "usage.duckdb"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"open\n"
        with pytest.raises(Refused, match=f"STORE_BUSY: process {writer.pid} holds"):
            read_store(path, "usage", whole("positions"), wait_s=0.1)
        writer.communicate(b"\n")


def test_a_store_that_the_system_does_not_open_is_not_called_corrupt(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Refused, match="STORE_FAILED.*Not a directory"):
        open_store(tmp_path / "file" / "usage.duckdb", "usage")
