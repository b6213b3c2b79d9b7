"""What keytui is compared with: Textual applications that do next to nothing.

``python bench/bare.py`` shows one line. With ``--input`` it shows a line to type on; with
``--sdk`` it also holds what keytui can't do without in memory, IAM and STS clients and keyring.
"""

import sys

from textual.app import App, ComposeResult
from textual.widgets import Input, Static

READY = "A bare Textual application"


class Bare(App[None]):
    """One line of text, and a line to type on where asked for."""

    def __init__(self, *, with_input: bool) -> None:
        super().__init__()
        self.animation_level = "none"
        self.theme = "ansi-dark"
        self._with_input = with_input

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(READY)
        if self._with_input:
            line = Input(compact=True)
            line.cursor_blink = False
            yield line


def load_sdk() -> list[object]:
    """Load what keytui loads, and return it so that it stays."""
    import keyring
    from boto3.session import Session

    session = Session()
    return [keyring, session, session.client("iam"), session.client("sts")]


if __name__ == "__main__":
    held = load_sdk() if "--sdk" in sys.argv else []
    Bare(with_input="--input" in sys.argv).run()
