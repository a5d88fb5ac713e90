"""The electronic invoice inside its PDF, as Factur-X has it: still PDF/A-3, same input, same bytes.

Owns the update that is written behind the end of typst's file: the XML, and the objects that name
it. What typst wrote is neither moved nor parsed as a whole, which would cost more than the page.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

_NAMESPACE: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_NAME: Final = "factur-x.xml"
_TRAILER: Final = re.compile(
    rb"trailer\n<</Size (\d+)/Root (\d+) 0 R(/Info \d+ 0 R)?/ID\[(\(.*?\))\(.*?\)\]>>\n"
    rb"startxref\n(\d+)\n%%EOF\s*$",
    re.DOTALL,
)
_STREAM: Final = re.compile(rb"<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n")
_METADATA: Final = re.compile(rb"/Metadata (\d+) 0 R")
_SCHEMAS_END: Final = b"</rdf:Bag></pdfaExtension:schemas>"
_DESCRIPTIONS_END: Final = b"</rdf:RDF>"
_INSTANCE: Final = re.compile(rb"(?<=<xmpMM:InstanceID>)[^<]*")
_PROPERTIES: Final = {
    "DocumentFileName": ("The name of the embedded XML document", _NAME),
    "DocumentType": ("The type of the hybrid document in capital letters", "INVOICE"),
    "Version": ("The version of the standard of the embedded XML document", "1.0"),
    "ConformanceLevel": ("The conformance level of the embedded XML document", "EN 16931"),
}


def embed_xml(pdf: bytes, cii: bytes, document: Mapping[str, Any]) -> bytes:
    """The PDF of the document, as `render_pdf` made it, with its XML attached. `cii` is that of
    `electronic_invoice`.
    """
    end = _TRAILER.search(pdf, max(0, len(pdf) - 1000))
    assert end, "the end of a file as typst writes it"
    size, root, info, id, xref = int(end[1]), int(end[2]), end[3] or b"", end[4], int(end[5])
    instance = hashlib.sha256(pdf + cii).hexdigest()[:32].encode()
    catalog = _dictionary(pdf, _place(pdf, xref, root))
    metadata = int(_found(_METADATA, catalog)[1])
    xmp = _xmp(_packet(pdf, _place(pdf, xref, metadata)), instance)
    file, spec = size, size + 1
    objects = {
        metadata: _stream(b"/Type/Metadata/Subtype/XML", xmp),
        root: _catalog(catalog, spec),
        file: _stream(_file_entries(cii, document["issued_on"]), cii),
        spec: b"<</Type/Filespec/F(%b)/UF(%b)/Desc(Factur-X invoice)/AFRelationship/Alternative"
        b"/EF<</F %d 0 R/UF %d 0 R>>>>" % (_NAME.encode(), _NAME.encode(), file, file),
    }
    trailer = b"<</Size %d/Root %d 0 R%b/ID[%b<%b>]/Prev %d>>" % (
        size + 2, root, info, id, instance, xref,
    )  # fmt: skip
    return pdf.rstrip() + b"\n" + _update(len(pdf.rstrip()) + 1, objects, trailer)


def _place(pdf: bytes, xref: int, number: int) -> int:
    """Where the object begins, behind its head; entries of the table are 20 bytes each."""
    table = _found(re.compile(rb"xref\n0 \d+\n"), pdf, xref).end()
    start = int(pdf[table + 20 * number :][:10])
    head = b"%d 0 obj\n" % number
    assert pdf.startswith(head, start)
    return start + len(head)


def _dictionary(pdf: bytes, place: int) -> bytes:
    return pdf[place : pdf.index(b"\nendobj", place)]


def _packet(pdf: bytes, place: int) -> bytes:
    """The text of a stream may hold any words, so its length alone says where it ends."""
    start = _found(_STREAM, pdf, place)
    return pdf[start.end() :][: int(start[1])]


def _xmp(packet: bytes, instance: bytes) -> bytes:
    """The packet with the schema of Factur-X declared and its four properties."""
    assert packet.count(_SCHEMAS_END) == packet.count(_DESCRIPTIONS_END) == 1
    packet = _INSTANCE.sub(instance, packet)
    packet = packet.replace(_SCHEMAS_END, _schema() + _SCHEMAS_END)
    return packet.replace(_DESCRIPTIONS_END, _description() + _DESCRIPTIONS_END)


def _schema() -> bytes:
    declared = "".join(
        f'<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description></rdf:li>"
        for name, (meaning, _) in _PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{declared}</rdf:Seq></pdfaSchema:property></rdf:li>"
    ).encode()


def _description() -> bytes:
    told = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (_, value) in _PROPERTIES.items())
    head = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">'
    return f"{head}{told}</rdf:Description>".encode()


def _catalog(catalog: bytes, spec: int) -> bytes:
    assert b"/AF" not in catalog, "the page attaches nothing itself"
    files = b"/EmbeddedFiles<</Names[(%b)%d 0 R]>>" % (_NAME.encode(), spec)
    if b"/Names<<" in catalog:
        catalog = catalog.replace(b"/Names<<", b"/Names<<" + files)
    else:
        catalog = catalog.removesuffix(b">>") + b"/Names<<%b>>>>" % files
    return catalog.removesuffix(b">>") + b"/AF[%d 0 R]>>" % spec


def _file_entries(cii: bytes, issued_on: str) -> bytes:
    """It stays as it is: a deflated stream has other bytes with another version of zlib."""
    checksum = hashlib.md5(cii, usedforsecurity=False).hexdigest().encode()
    day = issued_on.replace("-", "").encode()
    return b"/Type/EmbeddedFile/Subtype/text#2Fxml/Params<<%b>>" % (
        b"/Size %d/ModDate(D:%b000000Z)/CheckSum<%b>" % (len(cii), day, checksum)
    )


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), entries, data)


def _update(start: int, objects: Mapping[int, bytes], trailer: bytes) -> bytes:
    """The objects with the table that says where they are, from this place in the file on."""
    body, table = b"", b"xref\n0 1\n0000000000 65535 f\r\n"
    for number, held in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n\r\n" % (number, start + len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, held)
    end = b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, start + len(body))
    return body + table + end


def _found(pattern: re.Pattern[bytes], text: bytes, start: int = 0) -> re.Match[bytes]:
    found = pattern.search(text, start)
    assert found, "a file as typst writes it"
    return found
