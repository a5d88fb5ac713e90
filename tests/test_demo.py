"""The demo's home: begun afresh where it is the demo's own, refused where it is anybody else's."""

from pathlib import Path

import pytest

from demo.home import begin_afresh
from edge import Refused


def test_a_home_of_its_own_is_begun_afresh(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    begin_afresh(home)
    (home / "journal").mkdir()
    (home / "journal" / "old").touch()
    (home / "usage.duckdb").touch()
    begin_afresh(home)
    assert [path.name for path in home.iterdir()] == [".homemeeting-demo"]


def test_any_other_home_that_is_not_empty_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "books.duckdb").write_bytes(b"precious")
    with pytest.raises(Refused, match="DEMO_HOME"):
        begin_afresh(tmp_path)
    assert (tmp_path / "books.duckdb").read_bytes() == b"precious"
    assert [path.name for path in tmp_path.iterdir()] == ["books.duckdb"]
