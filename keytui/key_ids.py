"""Access key IDs in a text: a log line, an alert, a diff. Pure.

An ID is four letters that say what it is and 16 capital letters or digits (IAM User Guide,
"IAM identifiers", unique ID prefixes): ``AKIA`` for a long-lived access key, ``ASIA`` for
temporary credentials.
"""

import re

# The escape character as terminals have it, and as cat -v, JSON, shells and syslog write it.
_ESCAPE = r"(?:\x1b|\^\[|\\x1[bB]|\\u001[bB]|\\033|\\[eE]|#033)"
_CONTROL = re.compile(rf"(?:{_ESCAPE}\[|\x9b)[0-9;:?]*([A-Za-z])|{_ESCAPE}\(B")

# What stands before may be an escape: of a URL (%3D, or %253D where it is one in another), of
# a string (\n, \x3d, \u003d), or of a mail (=3D; there only of signs, as a value may follow an =).
_HEX = "[0-9A-Fa-f]"
_ID = re.compile(
    rf"(?:(?<![A-Za-z0-9])|(?<=%{_HEX}{{2}})|(?<=%25{_HEX}{{2}})|(?<=%2525{_HEX}{{2}})"
    rf"|(?<=\\[abefnrtv])|(?<=\\x{_HEX}{{2}})|(?<=\\u{_HEX}{{4}})"
    r"|(?<==0[9AD])|(?<==2[0-9A-F])|(?<==3[A-F]))"
    r"((?:AKIA|ASIA)[A-Z0-9]{16})"
    r"(?![A-Za-z0-9])"
)


def key_ids(text: str) -> tuple[str, ...]:
    """Return the access key IDs in a text, coloured or escaped too, in order, each once."""
    return tuple(dict.fromkeys(_ID.findall(_CONTROL.sub(_without, text))))


def is_temporary(key_id: str) -> bool:
    """Return whether an ID is that of temporary credentials, which IAM does not list."""
    return key_id.startswith("ASIA")


def _without(control: re.Match[str]) -> str:
    """A colour (m) and the erasing of a line (K) take no room; what moves the cursor does."""
    return "" if control[1] in {"m", "K", None} else " "
