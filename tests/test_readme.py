"""The README's own lines, run as a newcomer types them, and the arithmetic behind its invoice."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.command_line import ROOT
from tests.command_line import run_here as run

README = (ROOT / "README.md").read_text("utf-8")
LINES = re.findall(r"^    homemeeting ([^#\n]*)", README, re.MULTILINE)


def test_the_lines_that_make_an_invoice_work_as_they_stand(tmp_path: Path) -> None:
    home, told = tmp_path / "home", {}
    lines = [line.strip() for line in LINES if "RECORD" not in line]
    assert len(lines) > 10
    for line in lines:
        words = [
            str(tmp_path / "tuning.html") if word == "tuning.html" else word
            for word in shlex.split(line)
        ]
        done = run(home, *words, now="2026-11-04T09:00:00Z")
        if "conflicts" not in line:
            assert done.returncode == 0, f"{line}: {done.stderr}"
        told[line] = done.stdout
    document = json.loads(told["invoice show HM-2026-000001 --format json"])
    # 60 minutes and a second are 61, 40 and a half are 41; 60 are free: 42 at 0.004; 1.5 GB.
    amounts = {line["code"]: line["amount"] for line in document["lines"]}
    assert amounts == {"base": "49.00", "participant_minutes": "0.17", "recording": "0.14"}
    assert document["total"] == "49.31"
    assert (home / "documents" / "HM-2026-000001.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "tuning.html").exists()


def test_the_example_of_embedding_is_short_and_runs_as_written(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(code.splitlines()) <= 20
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True
    )
    home = tmp_path / "homemeeting-data"
    assert run(home, "consume", "--once").returncode == 0
    assert run(home, "verify").returncode == 0
