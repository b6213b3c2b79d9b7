"""What a user does again and again, and how keytui's screens are told apart."""

import re

from tests.support.terminal import Terminal

NEW_KEY = re.compile(r"Access key ID +(AKIA\w{16})")
SECRET = re.compile(r"Secret +([A-Za-z0-9/+]{40})(?!\S)")
GOALS = ("OS keyring", "CSV file", "Show only")
REVEAL = "shown only now"
DIALOG = re.compile(r"[╭┏]")
"""Any dialog: the main screen itself has no corners."""
FAULT = re.compile(r"Traceback|fault of its own|Error\b")
"""What no user may ever see."""
CHANGES = {"UpdateAccessKey", "DeleteAccessKey", "CreateAccessKey", "TagUser", "UntagUser"}
"""The calls that change something."""


def row(key_id: str, status: str) -> re.Pattern[str]:
    """Return what a key's line in the table looks like."""
    return re.compile(rf"{key_id}  +[●○✕] {status}\b")


def open_user(run: Terminal, name: str) -> None:
    """Filter for a user, go to their keys and wait until they are read."""
    run.send("/")
    run.type(name)
    run.wait_for(re.compile(rf"▸ {re.escape(name)}"))
    run.send("Enter")
    run.wait_for(re.compile(rf"{re.escape(name)}  (no|\d) key"))
    run.send("Tab")


def read_secret(run: Terminal) -> tuple[str, str]:
    """Show the secret in the reveal and hide it again; return the key's ID and its secret."""
    run.wait_for(REVEAL)
    run.send("s")
    shown = run.wait_for(SECRET)
    run.send("s")
    run.wait_gone(SECRET)
    return NEW_KEY.findall(shown)[-1], SECRET.findall(shown)[-1]


def choose_goal(run: Terminal, goal: str) -> None:
    """Open the dialog that creates and choose where the secret goes."""
    run.send("c")
    run.wait_for("Create an access key")
    for place in GOALS[1 : GOALS.index(goal) + 1]:
        run.send("Down")
        run.wait_for(f"◉ {place}")


def next_field(run: Terminal) -> None:
    """Press tab and wait until the cursor is on another line."""
    before = run.cursor()
    run.send("Tab")
    run.wait_until(lambda: run.cursor()[1] != before[1], "the cursor is in another field")


def create_to_show(run: Terminal) -> tuple[str, str]:
    """Create a key whose secret is kept nowhere; return its ID and secret, reveal open."""
    choose_goal(run, "Show only")
    run.send("Enter")
    return read_secret(run)


def discard(run: Terminal) -> None:
    """Close the reveal of an unkept secret by typing ``discard``."""
    run.send("Escape")
    run.wait_for("Type discard")
    run.type("discard")
    run.send("Enter")
    run.wait_for(re.compile("Delete the key"))
