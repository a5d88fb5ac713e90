"""What only Maven has: the rules of Peppol BIS Billing 3, and veraPDF.

Owns where they are, and skips where they cannot be had; CI fails there.
"""

import subprocess
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.lent import NO_JARS, give_up
from tests.maven import NoJars, fetched

_FOLDER: Final = Path(__file__).with_name("einvoice")
_KEPT: Final = Path.home() / ".cache" / "homemeeting-einvoice" / "1"
_RULES: Final = "external/schematron/openpeppol/2025.11/xslt/%s-EN16931-UBL.xslt"


def jars(config: pytest.Config) -> Path:
    """Skips where they cannot be had, fails there when CI=true."""
    try:
        return fetched(_FOLDER / "pom.xml", _KEPT)
    except NoJars as error:
        give_up(config, NO_JARS, "jar", error)


@cache
def peppol_rules(libs: Path, folder: Path) -> list[Path]:
    """Those that Peppol has of EN 16931, and its own, laid in this folder."""
    (jar,) = libs.glob("phive-rules-peppol-*.jar")
    with zipfile.ZipFile(jar) as held:
        return [Path(held.extract(_RULES % which, folder)) for which in ("CEN", "PEPPOL")]


def pdf_faults(libs: Path, files: Iterable[Path]) -> list[str]:
    """What keeps them from being PDF/A-3b."""
    java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{libs}/*"]
    command = [*java, str(_FOLDER / "PdfCheck.java"), *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    *faults, looked = done.stdout.splitlines()
    assert int(looked) > 1000
    return faults
