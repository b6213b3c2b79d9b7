"""Which profiles of an AWS file name an access key. Pure.

Seen leniently, section by section: a file that the AWS SDK refuses still tells what it names,
and a section that another one of the same profile wins over counts too, as other SDKs merge them.
"""

import re
from dataclasses import dataclass

from keytui.aws.files.ini import (
    FileKind,
    Section,
    Setting,
    profile_of,
    sections,
    split_lines,
)

_DEFAULT = "DEFAULT"
"""The SDK takes settings of a section of this name for settings of all others."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A section that names an access key.

    Attributes:
        section: The section.
        profile: The profile that it is.
        static: Whether it holds the key.
        process: Whether its ``credential_process`` names the key.
    """

    section: Section
    profile: str
    static: bool
    process: bool


def names(text: str, key_id: str) -> bool:
    """Return whether a text names an access key, as a whole word."""
    return bool(word(key_id).search(text))


def word(key_id: str) -> re.Pattern[str]:
    """Return a pattern for an access key ID as a whole word."""
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(key_id)}(?![A-Za-z0-9])")


def key_uses(text: str, kind: FileKind, key_id: str) -> list[KeyUse]:
    """Return the sections that name an access key, in order."""
    lines = split_lines(text)
    found = []
    for section in sections(text):
        profile = _DEFAULT if section.name == _DEFAULT else profile_of(section.name, kind)
        if profile is None:
            continue
        static = any(
            s.name == "aws_access_key_id" and names(_whole(s, lines), key_id)
            for s in section.settings
        )
        process = any(
            s.name == "credential_process" and names(_whole(s, lines), key_id)
            for s in section.settings
        )
        if static or process:
            found.append(KeyUse(section, profile, static, process))
    return found


def _whole(setting: Setting, lines: list[str]) -> str:
    return "".join(lines[index] for index in setting.lines)
