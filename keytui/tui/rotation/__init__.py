"""A rotation's screen, its dialogs, and how they answer its driver."""
