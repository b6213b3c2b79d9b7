"""The commands, one a module. Each is imported only when it is the one to run."""
