"""What a key press sets going, told from first to last: dialogs, work, and what came of it."""
