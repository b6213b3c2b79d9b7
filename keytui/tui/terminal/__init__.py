"""The terminal's clipboard, or the desktop's."""
