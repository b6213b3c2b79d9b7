"""The one gate that every change passes: to AWS, a keyring, an AWS file, a secret, the journal.

Each adapter that can change something takes a ``Gate`` and asks it last, right before the
change. Verbs and screens ask the same gate first, so that nobody is asked a question for
nothing.
"""

from dataclasses import dataclass

from keytui.core.errors import ReadOnlyError


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether changes may pass.

    Attributes:
        read_only: Whether every change is refused.
    """

    read_only: bool

    def require_writable(self) -> None:
        """Raise ``ReadOnlyError`` in read-only mode."""
        if self.read_only:
            raise ReadOnlyError(
                "keytui is in read-only mode.",
                "Nothing was changed.",
                "To make changes, start it without --read-only, without KEYTUI_READ_ONLY and "
                "without read_only in config.toml.",
            )


LOOKING = Gate(read_only=True)
"""For what only reads, whatever the mode."""
EXPORTING = Gate(read_only=False)
"""For the file that a user exports a list into: it is no part of what keytui manages."""
