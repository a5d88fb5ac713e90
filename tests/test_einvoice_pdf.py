"""The electronic invoice inside its PDF: PDF/A-3 still, the same bytes, found by other readers."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import facturx
import pypdf
import pytest
import typst

from billing.documents.einvoice import electronic_invoice
from billing.documents.factur_x import embed_xml
from billing.documents.papers import papers
from billing.documents.pdf import render_pdf
from tests.einvoice_documents import MATRIX
from tests.einvoice_jars import jars, pdf_faults
from tests.pdf_text import pdf_rows

HOSTILE = {**MATRIX["two lines"], "number": "</rdf:RDF></rdf:Bag> \nendobj trailer <<)>> startxref"}
DOCUMENTS = {name: MATRIX[name] for name in ("two lines", "200 lines", "credit note")}
DOCUMENTS["a number that is markup"] = HOSTILE


def made(name: str) -> tuple[bytes, bytes, bytes]:
    """The page, the XML, and the page with it."""
    told = DOCUMENTS[name]
    pdf, cii = render_pdf(told), electronic_invoice(told).cii
    assert cii
    return pdf, cii, embed_xml(pdf, cii, told)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_other_readers_find_the_xml_and_the_page(name: str) -> None:
    pdf, cii, whole = made(name)
    found, xml = facturx.get_xml_from_pdf(whole, check_xsd=False)
    assert (found, xml) == ("factur-x.xml", cii)
    reader = pypdf.PdfReader(io.BytesIO(whole), strict=True)
    assert len(reader.pages) == len(pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert (
        reader.pages[0].extract_text() == pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    )
    assert pdf_rows(whole) == pdf_rows(pdf)


def test_the_same_document_gives_the_same_bytes() -> None:
    pdf, cii, whole = made("two lines")
    assert embed_xml(pdf, cii, MATRIX["two lines"]) == whole
    assert whole.startswith(pdf.rstrip())
    (before,) = re.findall(rb"startxref\n(\d+)\n", pdf)
    assert re.findall(rb"/Prev (\d+)>>", whole) == [before]
    other = embed_xml(pdf, cii + b"\n", MATRIX["two lines"])
    assert _ids(other)[0] == _ids(whole)[0] == _ids(pdf)[0]
    assert len({_ids(one)[1] for one in (pdf, whole, other)}) == 3


def _ids(pdf: bytes) -> list[Any]:
    found = pypdf.PdfReader(io.BytesIO(pdf)).trailer["/ID"]
    return [bytes(one.original_bytes) for one in found]


def test_the_papers_are_the_whole_of_it_or_the_page_and_why_not() -> None:
    _, _, whole = made("two lines")
    found = papers(MATRIX["two lines"])
    assert (found.pdf, found.why) == (whole, None)
    assert found.ubl == electronic_invoice(MATRIX["two lines"]).ubl
    untaxed = {**MATRIX["two lines"], "tax": None}
    bare = papers(untaxed)
    assert (bare.pdf, bare.ubl) == (render_pdf(untaxed), None)
    assert bare.why == "no tax is decided: the settings name no country of the seller"


def test_a_page_with_links_in_it_keeps_them() -> None:
    """Where they go is told by names, as attachments are."""
    page = b"= Total <total>\n#pagebreak()\n#link(<total>)[Back to the total]"
    made_on = datetime(2026, 11, 2, tzinfo=UTC)
    pdf = typst.compile(page, format="pdf", pdf_standards=["a-3b"], timestamp=made_on)
    assert isinstance(pdf, bytes)
    reader = pypdf.PdfReader(io.BytesIO(embed_xml(pdf, b"<xml/>", MATRIX["two lines"])))
    assert list(reader.attachments) == ["factur-x.xml"]
    assert list(reader.named_destinations) == ["total"]


def test_its_metadata_say_that_it_is_factur_x() -> None:
    page, _, whole = made("two lines")
    root = pypdf.PdfReader(io.BytesIO(whole)).trailer["/Root"]
    (spec,) = (one.get_object() for one in root["/AF"])
    assert spec["/AFRelationship"] == "/Alternative"
    assert spec["/EF"]["/F"]["/Params"]["/ModDate"] == "D:20261102000000Z"
    packet = root["/Metadata"].get_object().get_data().decode()
    for told in (
        "<fx:ConformanceLevel>EN 16931<", "<fx:DocumentFileName>factur-x.xml<",
        "<fx:DocumentType>INVOICE<", "<pdfaid:part>3<", "<pdfaSchema:prefix>fx<",
    ):  # fmt: skip
        assert packet.count(told) == 1
    for name, is_kept in (("DocumentID", True), ("InstanceID", False)):
        (old,) = re.findall(f"<xmpMM:{name}>[^<]+", page.decode("latin-1"))
        assert (packet.count(old) == 1) == is_kept


def test_it_is_pdf_a_3b_for_verapdf(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    libs = jars(pytestconfig)
    good, odd, bad = (tmp_path / f"{name}.pdf" for name in ("good", "odd", "bad"))
    whole = made("two lines")[2]
    good.write_bytes(whole)
    odd.write_bytes(made("a number that is markup")[2])
    bad.write_bytes(whole.replace(b"/AFRelationship", b"/AFRelationshib"))
    faults = pdf_faults(libs, [good, odd, bad])
    assert faults
    assert all(fault.startswith(f"{bad}: 6.8:") for fault in faults), faults
