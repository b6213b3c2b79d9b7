"""Access key IDs in a text: a log line, an alert, a diff. Pure.

An ID is four letters that say what it is and 16 capital letters or digits (IAM User Guide,
"IAM identifiers", unique ID prefixes): ``AKIA`` for a long-lived access key, ``ASIA`` for
temporary credentials.
"""

import re

# What stands before may be an escape of a URL (%3D) or of a string (\n).
_ID = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    r"((?:AKIA|ASIA)[A-Z0-9]{16})"
    r"(?![A-Za-z0-9])"
)


def key_ids(text: str) -> tuple[str, ...]:
    """Return the access key IDs in a text, in order, each once."""
    return tuple(dict.fromkeys(_ID.findall(text)))


def is_temporary(key_id: str) -> bool:
    """Return whether an ID is that of temporary credentials, which IAM does not list."""
    return key_id.startswith("ASIA")
