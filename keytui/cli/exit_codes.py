"""The exit statuses. 128 + a signal's number where one ended the run."""

EXIT_DONE = 0
"""Done, also where there was nothing to do."""
EXIT_FAILED = 1
"""AWS or a store refused, or not all is done."""
EXIT_USAGE = 2
"""It can't start."""
EXIT_OPEN = 3
"""Something was left undone because nobody agreed, or it stays open."""
EXIT_INTERRUPTED = 130
"""128 + SIGINT."""
