"""XML as nested calls, in which what is not there leaves nothing behind.

Owns which characters XML can carry, and how an element is made. Knows no vocabulary.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Node:
    """An element to be: its content is a text or elements."""

    tag: str
    attributes: dict[str, str]
    content: list[Any]


Element = Node | None
Maker = Callable[..., Element]


def clean(value: Any) -> str | None:
    """The text with `?` for what XML cannot carry, as the page shows what no font has; None where
    nothing but space is left.
    """
    return None if value is None else _ILLEGAL.sub("?", str(value)).strip() or None


def maker(namespace: str) -> Maker:
    """`make(tag, *content, **attributes)`: content is a text, elements, or None for those that are
    not there; an element with no content is None itself.
    """
    start = f"{{{namespace}}}"

    def make(tag: str, *content: Any, **attributes: str | None) -> Element:
        held = [one for one in content if one is not None]
        if not held:
            return None
        told = {name: value for name, value in attributes.items() if value is not None}
        return Node(start + tag, told, held)

    return make


def written(root: Element, prefixes: Mapping[str | None, str]) -> bytes:
    """The whole document, in UTF-8."""
    assert root is not None
    made = etree.Element(root.tag, root.attributes, dict(prefixes))
    _fill(made, root.content)
    text: bytes = etree.tostring(made, xml_declaration=True, encoding="UTF-8")
    return text


def _fill(parent: Any, content: list[Any]) -> None:
    for node in content:
        if isinstance(node, Node):
            _fill(etree.SubElement(parent, node.tag, node.attributes), node.content)
        else:
            parent.text = node
