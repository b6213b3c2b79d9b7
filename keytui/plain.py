"""Text from AWS, from files and from users is data: it never moves a terminal's cursor."""

from unicodedata import category

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def plain(text: str) -> str:
    """Return text that can't move the cursor, change colours or reorder a line.

    Control, format (bidirectional marks among them), private and unassigned characters are
    shown as ``�``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if category(char) in _UNSAFE else char for char in text)
