"""Access key IDs in a text: a log line, an alert, a diff. Pure.

An ID is four letters that say what it is and 16 capital letters or digits (IAM User Guide,
"IAM identifiers", unique ID prefixes): ``AKIA`` for a long-lived access key, ``ASIA`` for
temporary credentials.
"""

import re
from dataclasses import dataclass
from operator import ne
from unicodedata import category, normalize

# The escape character as terminals have it, and as cat -v, JSON, shells and syslog write it.
_ESCAPE = r"(?:\x1b|\^\[|\\x1[bB]|\\u001[bB]|\\033|\\[eE]|#033)"
_CONTROL = re.compile(rf"(?:{_ESCAPE}\[|\x9b)[0-9;:?]*([A-Za-z])|{_ESCAPE}\(B")

# What stands before may be an escape: of a URL (%3D, or %253D where it is one in another), of
# a string (\n, \x3d, \u003d), or of a mail (=3D; there only of signs, as a value may follow an =).
_HEX = "[0-9A-Fa-f]"
_START = (
    rf"(?:(?<![A-Za-z0-9])|(?<=%{_HEX}{{2}})|(?<=%25{_HEX}{{2}})|(?<=%2525{_HEX}{{2}})"
    rf"|(?<=\\[abefnrtv])|(?<=\\x{_HEX}{{2}})|(?<=\\u{_HEX}{{4}})"
    r"|(?<==0[9AD])|(?<==2[0-9A-F])|(?<==3[A-F]))"
)
_ID = re.compile(_START + r"((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])")
_MEANT = re.compile(rf"{_START}[Aa][KkSs5][IiLl1|!][Aa][A-Za-z0-9]*|(?:AKIA|ASIA)[A-Z0-9]{{10,}}")
"""A word that begins like an ID; or most of one, in a longer word."""
_TAIL = 16
_NEAR = re.compile(rf"{_START}[A-Z0-9]{{2,4}}[A-Z0-9]{{{_TAIL}}}(?![A-Za-z0-9])")
"""A word that is an ID from its fifth letter on, maybe."""
_KINDS = ("AKIA", "ASIA")
_OTHER_KINDS = frozenset({"ABIA", "ASCA"})
"""Bearer tokens and certificates, which differ from a key's kind in one letter."""
_LOOK_ALIKES = dict(
    zip(
        (
            0x0410,
            0x0412,
            0x0415,
            0x0405,
            0x0406,
            0x041A,
            0x041C,
            0x041D,
            0x041E,
            0x0420,
            0x0421,
            0x0422,
            0x0425,
            0x0430,
            0x0435,
            0x0455,
            0x0456,
            0x043E,
            0x0440,
            0x0441,
            0x0445,
            0x0391,
            0x0392,
            0x0395,
            0x0396,
            0x0397,
            0x0399,
            0x039A,
            0x039C,
            0x039D,
            0x039F,
            0x03A1,
            0x03A4,
            0x03A7,
            0x03BF,
        ),
        "ABESIKMHOPCTXaesiopcxABEZHIKMNOPTXo",
        strict=True,
    )
)
"""Cyrillic and Greek letters → the Latin ones that look the same."""
_ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class IdsInText:
    """What a text has of access key IDs.

    Attributes:
        ids: The IDs, in order, each once.
        broken: How many words were meant as an ID and are none.
    """

    ids: tuple[str, ...]
    broken: int = 0

    @property
    def problem(self) -> str:
        """What is wrong with the text, a sentence that repeats nothing of it; empty for nothing."""
        if not self.broken:
            return "" if self.ids else "No access key ID is in that text."
        what = "An access key ID" if self.broken == 1 else f"{self.broken} access key IDs"
        return f"{what} in the text {'is' if self.broken == 1 else 'are'} cut short or mistyped."


def key_ids(text: str) -> tuple[str, ...]:
    """Return the access key IDs in a text, coloured or escaped too, in order, each once."""
    return tuple(dict.fromkeys(_ID.findall(_CONTROL.sub(_without, text))))


def read_ids(text: str) -> IdsInText:
    """Return the access key IDs in a text, and how many words were meant as one and are none.

    Those begin like one, also in small letters or in letters that look the same, and are too
    short or too long or hold what no ID has; or lack or mistake one of the first letters; or an
    ID stands within a longer word.
    """
    rest = _ID.sub(lambda found: " " * len(found[0]), _CONTROL.sub(_without, text))
    visible = "".join(letter for letter in normalize("NFKC", rest) if category(letter) != "Cf")
    latin = visible.translate(_LOOK_ALIKES)
    broken = sum(map(_is_meant, _MEANT.findall(latin))) + sum(map(_is_near, _NEAR.findall(latin)))
    return IdsInText(key_ids(text), broken)


def _is_meant(word: str) -> bool:
    """Return whether a word was meant as an ID; ``Asia`` and ``Asiatic`` were not."""
    kind, length = word[:4].upper(), len(word)
    if kind == "AKIA":
        return True
    if kind != "ASIA":
        return abs(length - _ID_LENGTH) <= 4
    if word.startswith("ASIA"):
        return length > len("ASIA")
    return (length >= _ID_LENGTH // 2 and not word.isalpha()) or length >= _ID_LENGTH - 4


def _is_near(word: str) -> bool:
    """Return whether an ID's first letters are cut off, mistyped or swapped."""
    if _MEANT.search(word):
        return False  # That counts already.
    kind = word[:-_TAIL]
    if len(kind) < 4:
        return any(
            kind in {known[2:], known[:at] + known[at + 1 :]} for known in _KINDS for at in range(4)
        )
    return kind not in _OTHER_KINDS and any(
        sorted(kind) == sorted(known) or sum(map(ne, kind, known)) == 1 for known in _KINDS
    )


def is_temporary(key_id: str) -> bool:
    """Return whether an ID is that of temporary credentials, which IAM does not list."""
    return key_id.startswith("ASIA")


def _without(control: re.Match[str]) -> str:
    """A colour (m) and the erasing of a line (K) take no room; what moves the cursor does."""
    return "" if control[1] in {"m", "K", None} else " "
