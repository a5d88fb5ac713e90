"""The HTML report in a real Chromium: drawn, legible, quiet, and alone with itself."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import wait_until
from tests.tuning_events import END, FIRST, HOUR, SERVERS, START, load, project, sample
from tuning import as_html, tuning_report
from warehouse import open_store

EVIL = "\"'><script>window.evil = 1</script><img src=https://evil.example/x onerror='evil = 1'>"
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three days with good names and with hostile ones, one day of them, and nothing at all."""
    folder = tmp_path_factory.mktemp("reports")
    rng = random.Random(20261124)
    with open_store(folder / "usage.duckdb", "usage").closing() as store:
        paths = {"empty": as_html(tuning_report(store, START, END))}
        project(store, "meetings.quality", [sample(rng, n) for n in range(1, 3001)])
        loads = [
            load(n, server, FIRST + n * HOUR, 50 + 8 * n, 100)
            for n, server in enumerate(SERVERS, start=1)
        ]
        project(store, "servers.load", loads)
        paths["good"] = as_html(tuning_report(store, START, END))
        paths["day"] = as_html(tuning_report(store, START, START + timedelta(days=1)))
        for column in ("region", "server_id", "server_version", "client", "network"):
            store.execute(f"UPDATE quality_hourly SET {column} = {column} || ?", [EVIL])
        paths["evil"] = as_html(tuning_report(store, START, END))
    for name, text in paths.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in paths}


@pytest.fixture
def page(browser: Any, html: dict[str, Path], request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page named by the test's parameter."""
    opened = browser.open(html[request.param])
    yield opened
    opened.close()


@pytest.mark.parametrize("page", ["good", "evil", "empty"], indirect=True)
def test_it_asks_for_nothing_and_complains_of_nothing(page: Any) -> None:
    (only,) = page.requests
    assert only.startswith("file:///")
    assert page.complaints == []
    assert page.evaluate("document.querySelectorAll('script, img, link, iframe').length") == 0


@pytest.mark.parametrize("page", ["evil"], indirect=True)
def test_hostile_names_are_text(page: Any) -> None:
    assert page.evaluate("typeof window.evil") == "undefined"
    assert "fra-3" + EVIL in page.evaluate("document.body.textContent")


@pytest.mark.parametrize("page", ["good"], indirect=True)
def test_the_page_itself_lets_no_script_run_and_nothing_be_fetched(page: Any) -> None:
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=https://evil.example/x>'),"
        "document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.evil = 1'}))"
    )
    assert page.evaluate("typeof window.evil") == "undefined"
    wait_until(lambda: len(page.complaints) >= 2)  # they are told when they come
    assert len([one for one in page.complaints if "Content Security Policy" in one]) == 2


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["good", "day"], indirect=True)
def test_the_charts_are_drawn_and_their_axes_can_be_read(page: Any, width: int) -> None:
    page.resize(width, 900)
    charts = page.evaluate(_CHARTS)
    assert [chart["unit"] for chart in charts] == ["ms", "%"]
    for chart in charts:
        assert chart["across"] == "hour, UTC"
        assert len(chart["lines"]) == 2
        assert min(line["length"] for line in chart["lines"]) > 200
        assert len({line["colour"] for line in chart["lines"]}) == 2
        assert chart["inside"]
        assert len(chart["texts"]) >= 7
        assert min(text["height"] for text in chart["texts"]) >= 9
        assert not _touching(chart["texts"])
    bars = page.evaluate("[...document.querySelectorAll('.peak')].map(at => at.clientWidth)")
    assert len(bars) == len(SERVERS)
    assert min(bars) > 10
    assert page.evaluate("document.querySelectorAll('.track.full').length") == 2


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", ["good", "evil"], indirect=True)
def test_the_page_fits_its_window(page: Any, width: int) -> None:
    page.resize(width, 900)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["good"], indirect=True)
def test_text_stands_out_by_day_and_by_night(page: Any, scheme: str) -> None:
    """WCAG 2.2, contrast of text: 4.5 to 1."""
    page.prefer(scheme)
    is_dark = _luminance(_style(page, "body", "backgroundColor")) < 0.2
    assert is_dark == (scheme == "dark")
    for ink in ("h1", ".soft", "th", "svg text", ".full b"):
        colour = _style(page, ink, "fill" if "svg" in ink else "color")
        ground = _style(page, "section", "backgroundColor")
        light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, colour, ground)


_CHARTS = """
[...document.querySelectorAll('svg')].map(svg => {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(at => {
    const box = at.getBoundingClientRect();
    return {text: at.textContent, x: box.x, y: box.y, width: box.width, height: box.height};
  });
  const lines = [...svg.querySelectorAll('polyline')].map(at => ({
    length: at.getTotalLength(), colour: getComputedStyle(at).stroke,
  }));
  const inside = [...svg.querySelectorAll('polyline, circle, text')].every(at => {
    const box = at.getBoundingClientRect();
    return box.left >= frame.left - 2 && box.right <= frame.right + 2
      && box.top >= frame.top - 2 && box.bottom <= frame.bottom + 2;
  });
  return {texts, lines, inside, unit: texts[0].text, across: texts[1].text};
})
"""


def _style(page: Any, selector: str, name: str) -> str:
    told = page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{name}")
    assert isinstance(told, str)
    return told


def _touching(texts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (one["text"], other["text"])
        for place, one in enumerate(texts)
        for other in texts[:place]
        if abs(one["x"] + one["width"] / 2 - other["x"] - other["width"] / 2)
        < (one["width"] + other["width"]) / 2
        # A line of text is higher than its letters.
        and abs(one["y"] - other["y"]) < 0.7 * one["height"]
    ]


def _luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)`, as WCAG defines it."""
    parts = [int(part) / 255 for part in colour.split("(")[1].rstrip(")").split(",")[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
