"""What others install: the wheel out of the repository, the image's context, the compose file."""

import fnmatch
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from cli import main

ROOT = Path(__file__).parent.parent
COMPOSE = ROOT / "docker-compose.yml"
INCLUDED = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["only-include"]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `COPY . .` would bring into the image."""
    ignored = [line.removeprefix("**/") for line in (ROOT / ".dockerignore").read_text().split()]
    target = tmp_path_factory.mktemp("image") / "app"
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*ignored))
    return target


@pytest.fixture(scope="module")
def installed(context: Path) -> Path:
    """The wheel's content, built from the image's context with no other package at hand."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    subprocess.run(build, cwd=context, check=True, capture_output=True)
    (wheel,) = (context / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(context.parent / "site")
    return context.parent / "site"


def test_the_context_holds_what_git_would(context: Path) -> None:
    there = {path.name for path in context.iterdir()}
    assert not fnmatch.filter(there, "homemeeting-*"), "a home, with customers in it, is no source"
    assert not there & {".git", ".venv"}
    assert {"README.md", "pyproject.toml", *INCLUDED} <= there


def test_every_file_of_every_package_is_in_the_wheel(installed: Path) -> None:
    packages = [name for name in INCLUDED if (ROOT / name).is_dir()]
    ours = {
        str(path.relative_to(ROOT))
        for name in packages
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {str(path.relative_to(installed)) for path in installed.rglob("*")}
    assert ours | {"cli.py"} <= there
    assert {Path(name).suffix for name in ours} >= {".sql", ".avsc", ".typ", ".html", ".toml"}


def test_the_wheel_works_outside_the_repository(installed: Path, tmp_path: Path) -> None:
    """Events to usage to a price book's check: the schemas, migrations and statements are found."""
    home = ["--home", str(tmp_path / "home")]
    days = ["--from", "2026-10-01", "--to", "2026-10-02"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("HOMEMEETING_")}
    script = "import cli, sys; assert cli.__file__.startswith(sys.argv.pop(1)); cli.run()"
    for arguments in (
        ["--help"],
        [*home, "simulate", "--accounts", "2", *days, "--seed", "1"],
        [*home, "consume", "--once"],
        [*home, "price-book", "new", "mine.toml"],
        [*home, "price-book", "check", "mine.toml"],
        [*home, "tuning", "report", *days, "--html", "tuning.html"],
    ):
        subprocess.run(
            [sys.executable, "-c", script, str(installed), *arguments],
            cwd=tmp_path,
            env=environ | {"PYTHONPATH": str(installed)},
            check=True,
            capture_output=True,
        )


def test_the_compose_file_is_one_by_the_specifications_own_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(COMPOSE)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_the_compose_file_names_is_there() -> None:
    """What no schema can tell: services, volumes, health checks, our commands, the listener."""
    told = YAML(typ="safe").load(COMPOSE.read_text("utf-8"))
    services: dict[str, dict[str, Any]] = told["services"]
    advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    for service in services.values():
        for name, dependency in service.get("depends_on", {}).items():
            assert name in services
            if dependency["condition"] == "service_healthy":
                assert "healthcheck" in services[name]
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in told["volumes"]
    for service in _ours(services):
        assert (ROOT / service["build"] / "Dockerfile").is_file()
        done = CliRunner().invoke(main, [*service["command"], "--help"])
        assert done.exit_code == 0, done.output
        servers = service["environment"]["HOMEMEETING_KAFKA_BOOTSTRAP_SERVERS"]
        assert f"://{servers}" in advertised


def _ours(services: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    found = [service for service in services.values() if "build" in service]
    assert found
    yield from found
