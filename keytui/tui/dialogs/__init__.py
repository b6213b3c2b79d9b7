"""One screen or modal a file."""
