"""The gate of a run that may change things, and of one in read-only mode."""

from keytui.core.gate import Gate

WRITABLE = Gate(read_only=False)
READ_ONLY = Gate(read_only=True)
