"""The command line: reads arguments, runs one command, prints. It asks on a terminal only.

``commands`` has a module for each command. A verb's rules are not here: a command implements the
port of its driver.
"""
