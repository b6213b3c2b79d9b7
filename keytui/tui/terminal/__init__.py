"""The terminal itself: the driver, its glyphs, job control, the clipboard beyond it."""
