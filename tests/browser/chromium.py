"""A real Chromium for the tests of HTML, spoken to over a pipe in its DevTools protocol.

Owns starting and ending it, and what a page did: requests, log entries, errors. Knows no page of
ours.
"""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Self

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)  # fmt: skip
_PATIENCE_S = 60.0
_FAILURES = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")


class NoBrowser(Exception):
    """No browser can be had here; the message says what to do."""


class Page:
    """One loaded page. `requests` are the URLs it asked for, `complaints` what it logged."""

    def __init__(self, browser: "Browser", session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, parameters, self._session)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, as JSON."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def prefer(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def png(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    @property
    def requests(self) -> list[str]:
        sent = self._browser.events(self._session, "Network.requestWillBeSent")
        return [each["request"]["url"] for each in sent]

    @property
    def complaints(self) -> list[str]:
        told = [self._browser.events(self._session, name) for name in _FAILURES]
        return [json.dumps(each) for some in told for each in some]

    def close(self) -> None:
        self._browser.call("Target.closeTarget", {"targetId": self._target})


class Browser:
    """A running Chromium. One thread reads; a call waits for its answer."""

    def __init__(self, to: int, back: int) -> None:
        self._to = os.fdopen(to, "wb", buffering=0)
        self._back = os.fdopen(back, "rb")
        self._number = 0
        self._answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._events: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def open(self, path: Path) -> Page:
        """`path` in a page of its own, loaded and painted."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        told = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, told["sessionId"], target)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=path.as_uri())
        loaded = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        while page.evaluate("document.readyState + location.href") != f"complete{path.as_uri()}":
            pass
        page.call("Runtime.evaluate", expression=loaded, awaitPromise=True)
        return page

    def call(
        self, method: str, parameters: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._to.write(json.dumps(message).encode() + b"\0")
        try:
            answer = self._answers.get(timeout=_PATIENCE_S)
        except Empty:
            raise TimeoutError(f"Chromium did not answer {method}") from None
        assert answer["id"] == self._number, answer
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    def events(self, session: str, method: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in list(self._events)
            if event["method"] == method and event.get("sessionId") == session
        ]

    def _read(self) -> None:
        rest = b""
        while chunk := self._back.read1(65536):  # type: ignore[attr-defined]
            *whole, rest = (rest + chunk).split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "id" in message:
                    self._answers.put(message)
                else:
                    self._events.append(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.call("Browser.close", {})
        self._to.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser, ended afterwards. Raises NoBrowser."""
    name = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if name is None:
        raise NoBrowser("there is no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        process = _start([name, *_FLAGS, f"--user-data-dir={profile}"], read_there, write_there)
        os.close(read_there)
        os.close(write_there)
        try:
            with Browser(write_here, read_here) as browser:
                yield browser
        finally:
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)


def _start(command: list[str], orders: int, answers: int) -> int:
    """The process, which reads its orders from file descriptor 3 and answers on 4."""
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (orders, answers)]
    actions = [
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, high[0], 3),
        (os.POSIX_SPAWN_DUP2, high[1], 4),
        *((os.POSIX_SPAWN_CLOSE, each) for each in high),
    ]
    try:
        return os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    finally:
        for each in high:
            os.close(each)
