"""The OS keyring, or one asked for by name, worked in a child process that can be killed."""
