"""Why there is no electronic invoice of a document, to be told in any language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from billing.language import ENGLISH, Language

_PREFIX: Final = "against_"


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` is the key of its words among those of languages, `values` what stands in them."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """Such as `NO_BUYER_NAME`."""
        return self.text.removeprefix(_PREFIX).upper()

    def told(self, language: Language = ENGLISH) -> str:
        return language.text(self.text, **self.values)
