"""The command line as its users type it, no settings but those told: in a process of its own,
or, where nothing depends on that, in this one, which saves the second that a start takes.
"""

import io
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any

import pytest

import cli

ROOT = Path(__file__).parent.parent


def run(
    home: Path,
    *arguments: str,
    lines: Iterable[Any] = (),
    before: Callable[[], object] | None = None,
    **settings: str,
) -> "subprocess.CompletedProcess[str]":
    """`lines` go to stdin, as JSON where they are not text; `now="…"` sets HOMEMEETING_NOW.

    `before` is called in the new process.
    """
    return subprocess.run(
        _command(home, arguments),
        cwd=ROOT,
        input="\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines),
        capture_output=True,
        text=True,
        check=False,
        env=_environ(settings),
        preexec_fn=before,
    )


def run_here(
    home: Path, *arguments: str, lines: Iterable[Any] = (), **settings: str
) -> "subprocess.CompletedProcess[str]":
    """As `run`, in this process: for tests that hold no store open and kill nothing."""
    typed = ["--home", str(home), *arguments]
    told = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("HOMEMEETING_")]:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(f"HOMEMEETING_{name.upper()}", value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(told.encode()), "utf-8"))
        patch.chdir(ROOT)
        try:
            cli.run(typed)
        except SystemExit as ended:
            code = ended.code or 0
    return subprocess.CompletedProcess(typed, code, out.getvalue(), err.getvalue())


def shown_here(home: Path, *arguments: str, **settings: str) -> Any:
    """As `shown`, in this process."""
    return json.loads(run_here(home, *arguments, "--format", "json", **settings).stdout)


def shown(home: Path, *arguments: str, **settings: str) -> Any:
    """What the command writes to stdout, as data."""
    return json.loads(run(home, *arguments, "--format", "json", **settings).stdout)


def python(
    code: str, *arguments: object, before: Callable[[], object] | None = None
) -> "subprocess.CompletedProcess[str]":
    """`code` in a process of its own; `before` is called there first."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,
    )


def start(
    home: Path, *arguments: str, said: IO[bytes] | None = None, **settings: str
) -> "subprocess.Popen[bytes]":
    """A service, for a `with` block that ends it; its stderr goes to `said`."""
    command = _command(home, arguments)
    return subprocess.Popen(command, cwd=ROOT, env=_environ(settings), stderr=said)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "waited for 120 s"
        time.sleep(0.05)


def usage_event(number: int, account: str, start: str, end: str, **changes: Any) -> dict[str, Any]:
    """A line for `emit`: participant p1 of meeting m1, unless `changes` say otherwise."""
    return {
        "topic": "meetings.usage", "phase": "STOP", "record_id": str(uuid.UUID(int=number)),
        "account_id": account, "meeting_id": "m1", "participant_id": f"p{number}",
        "meter": "participant", "server_id": "fra-1", "region": "eu",
        "started_at": start, "observed_at": end, **changes,
    }  # fmt: skip


def _command(home: Path, arguments: Iterable[str]) -> list[str]:
    return [sys.executable, "-m", "cli", "--home", str(home), *arguments]


def _environ(settings: dict[str, str]) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("HOMEMEETING_")}
    return ours | {f"HOMEMEETING_{name.upper()}": value for name, value in settings.items()}
