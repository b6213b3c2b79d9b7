"""``keytui``: the screen, and what happens to an unkept secret when it goes away."""

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from keytui.parts import Parts
from keytui.plain import plain

if TYPE_CHECKING:
    from keytui.ui.app import KeytuiApp

RESCUE_SECONDS = 5.0
"""How long the keyring may take when the terminal is gone; whatever cut it may soon kill."""


def show(parts: Parts) -> int:
    """Open the screen; return the exit status when it is left.

    However it ends, a new key's secret that is kept nowhere is put into the keyring, or its
    key is deleted.
    """
    # Importing makes many objects and no garbage: looking for it costs 6 % of the start.
    gc.set_threshold(20_000, 20, 50)
    # A key press is painted within 4 ms instead of 16; Textual reads this when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    # The theme that keytui has: changing it at the start would parse all styles twice.
    os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")
    from keytui.ui.app import KeytuiApp

    app = KeytuiApp(parts)
    try:
        app.run()
    finally:
        _rescue(app)
    app.main.keep_users()
    return app.return_code or 0


def _rescue(app: "KeytuiApp") -> None:
    main = app.main
    with main.creating:  # A creation under way ends first; none begins any more.
        custody = main.custody
        if custody is None or custody.kept or custody.discarded:
            return
        keyring = main.parts.keyring.hurried(RESCUE_SECONDS)
        _tell(main.account.lifecycle.rescue(custody, keyring))


def _tell(sentence: str) -> None:
    # The terminal may be gone; the record has it too.
    with suppress(OSError):
        print(f"keytui: {plain(sentence)}", file=sys.stderr, flush=True)
