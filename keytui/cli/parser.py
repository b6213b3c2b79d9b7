"""The command line's grammar: commands and their options."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from keytui import __version__
from keytui.cli.exit_codes import EXIT_FAILED
from keytui.cli.streams import failed, write
from keytui.core.rules import Rule
from keytui.core.text import plain
from keytui.session.settings import DEMO_USERS

_OPTION = re.compile(r"--[a-z][a-z-]*")
_VALUE = re.compile(r"(?<=invalid choice): .*(?= \()|(?<=ignored explicit argument) .*", re.DOTALL)
"""Where argparse's own sentences repeat what was typed."""
_HARMLESS = 7
"""Characters; nothing so short is a secret, and much of it is a word of keytui's own."""


class Reader(argparse.ArgumentParser):
    """Reads arguments, and repeats none: a word typed or pasted by mistake may be a secret."""

    _typed: Sequence[str] = ()

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments; leaves with status 2 where some are unknown."""
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            options = [word.partition("=")[0] for word in unknown]
            named = " ".join(word for word in options if _OPTION.fullmatch(word))
            what = named or f"{len(unknown)}, not repeated here: it may be a secret"
            self._leave(f"unrecognized arguments: {what}")
        return known

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the arguments known and the rest; remembers what must not be repeated."""
        self._typed = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what is wrong, without what was typed; leave with status 2."""
        message = _VALUE.sub("", message)
        for word in _texts(self._typed):
            if word not in self._own_words():
                message = re.sub(
                    rf"(?<![\w-]){re.escape(word)}(?![\w-])", "(not repeated)", message
                )
        self._leave(message)

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave; with status 1 where what was asked for, such as the help, was not printed."""
        super().exit(EXIT_FAILED if not status and failed() else status, message)

    def _leave(self, message: str) -> NoReturn:
        super().error(plain(message))

    def _own_words(self) -> set[str]:
        """Return what keytui itself may say in a sentence on the arguments."""
        words = set(self._option_string_actions)
        for action in self._actions:
            words |= {str(choice) for choice in action.choices or ()}
        return words

    def _print_message(self, message: str, file: Any = None) -> None:
        write(message, file or sys.stderr)


def _texts(typed: Iterable[str]) -> list[str]:
    """Return the words typed and the values in them, the longest first."""
    texts: set[str] = set()
    for word in typed:
        texts |= {word, word.partition("=")[2]}
        if word.startswith("-"):
            texts |= {word.lstrip("-"), word[2:]}
    return sorted((one for one in texts if len(one) > _HARMLESS), key=len, reverse=True)


STATUSES = (
    "Exit status: 0 done, also where there was nothing to do; 1 AWS or a store refused, or not "
    "all is done; 2 it can't start; 3 left undone, since a guard asked and nobody agreed, or "
    "still open; 128 + a signal that ended it."
)
_FROM_INPUT = "- or none reads the text from standard input, so that it is in no process list"
_Commands = Any  # argparse keeps the type of what add_subparsers returns to itself.


def parser(wanted: Sequence[str]) -> Reader:
    """Return what reads the arguments.

    Args:
        wanted: The commands to know. All of them take several milliseconds to describe,
            which the way to the first frame does not have.
    """
    reader = Reader(
        prog="keytui",
        usage="keytui [OPTIONS] [TEXT WITH AN ACCESS KEY ID | COMMAND ...]",
        description="Manage AWS IAM access keys: see, make inactive or active, create, delete. "
        "A new secret goes straight into the OS keyring. A text with an access key ID in it, "
        "such as a log line, opens the screen at that key; - reads the text from standard input.",
        epilog="AWS_PROFILE, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, HTTPS_PROXY and the rest are "
        f"honoured as by the AWS SDK. KEYTUI_READ_ONLY=1 is --read-only. {STATUSES}",
        allow_abbrev=False,
    )
    _add_account_flags(reader)
    reader.add_argument("--user", metavar="NAME", help="open at this user's keys")
    _add_unlock(reader)
    reader.add_argument("--version", action="version", version=f"keytui {__version__}")
    reader.set_defaults(command=None)
    if wanted:
        commands = reader.add_subparsers(
            dest="command", metavar="COMMAND", title="commands", prog="keytui"
        )
        for name in wanted:
            _ADD[name](commands)
    return reader


def _add(commands: _Commands, name: str, brief: str, description: str) -> argparse.ArgumentParser:
    reader: argparse.ArgumentParser = commands.add_parser(
        name,
        help=brief,
        description=description,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    return reader


def _add_find(commands: _Commands) -> None:
    find = _add(
        commands,
        "find",
        "open the screen at the key whose ID is in a text",
        "Open the screen at the access key whose ID is somewhere in a text: a log line, an "
        "alert, a diff. The word find may be left out.",
    )
    find.add_argument("text", nargs="*", metavar="TEXT", help=f"the text; {_FROM_INPUT}")
    _add_account_flags(find)
    _add_unlock(find)


def _add_change(commands: _Commands, name: str, brief: str, more: str) -> None:
    change = _add(
        commands,
        name,
        brief,
        f"{brief[0].upper()}{brief[1:]}, whoever owns them, and say of each what became of it. "
        f"{more} {STATUSES}",
    )
    change.add_argument(
        "text",
        nargs="*",
        metavar="ID",
        help=f"an access key ID, or a text with IDs in it; {_FROM_INPUT}",
    )
    _add_account_flags(change)
    change.add_argument("--yes", action="store_true", help="agree to all but the own key")
    if name != "activate":
        change.add_argument(
            "--own-key",
            action="store_true",
            help="with --yes: also the key that signs keytui's own calls",
        )
    _add_json(change)


def _add_deactivate(commands: _Commands) -> None:
    more = (
        "It asks first about a key that something depends on; where nobody can be asked, such a "
        "key stays as it is, and the exit status is 3."
    )
    _add_change(commands, "deactivate", "make keys inactive", more)


def _add_activate(commands: _Commands) -> None:
    _add_change(commands, "activate", "make keys active", "")


def _add_delete(commands: _Commands) -> None:
    more = "Where nobody can be asked, it takes --yes."
    _add_change(commands, "delete", "delete inactive keys", more)


def _add_list(commands: _Commands) -> None:
    listing = _add(
        commands,
        "list",
        "list keys with their last use and findings",
        f"List the account's access keys, with last use and findings. {STATUSES}",
    )
    listing.add_argument("--user", metavar="NAME", help="this user's keys only")
    listing.add_argument("--findings", action="store_true", help="only keys that break a rule")
    _add_account_flags(listing)
    _add_json(listing)


def _add_audit(commands: _Commands) -> None:
    audit = _add(
        commands,
        "audit",
        "judge every key of the account, for CI jobs too",
        "Judge every access key of the account by the rules, worst first. The credential report "
        "tells of all keys in a few calls; users whose keys break a rule are then read live, for "
        "the IDs and the status now. Where the report may not be read, every user is. Exit status: "
        "0 no key breaks a rule; 1 one does; 2 none of those read does, but not all could be read; "
        "128 + a signal that ended it.",
    )
    shape = audit.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument("--csv", action="store_true", help="print CSV")
    shape.add_argument("--markdown", action="store_true", help="print a Markdown table")
    audit.add_argument(
        "--fail-on",
        metavar="RULES",
        type=_rules,
        help="only these give status 1: a list such as old,unused (default: all; "
        f"{', '.join(rule.option for rule in Rule)}), or none",
    )
    audit.add_argument("--findings", action="store_true", help="only keys that break a rule")
    way = audit.add_mutually_exclusive_group()
    way.add_argument("--live", action="store_true", help="read every user live")
    way.add_argument(
        "--report-only",
        action="store_true",
        help="read the report alone: no access key IDs, up to four hours old, a few calls",
    )
    _add_account_flags(audit)


def _add_fleet(commands: _Commands) -> None:
    fleet = _add(
        commands,
        "fleet",
        "say of all profiles who they are and how old their keys are",
        "Ask all profiles of the AWS config side by side: the account, the caller, and the "
        f"caller's own keys with their findings. {STATUSES}",
    )
    fleet.add_argument("--findings", action="store_true", help="only keys that break a rule")
    fleet.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    fleet.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    _add_json(fleet)


def _add_create(commands: _Commands) -> None:
    create = _add(
        commands,
        "create",
        "create a key and keep its secret",
        "Create an access key and keep its secret. It is not printed. Where the store fails after "
        "AWS has made the key, the secret goes into the keyring, or the key is deleted again. "
        f"{STATUSES}",
    )
    create.add_argument("--user", metavar="NAME", required=True, help="whose key")
    create.add_argument(
        "--store",
        metavar="keyring|csv:PATH",
        type=_store,
        required=True,
        help="where the secret goes",
    )
    create.add_argument("--description", metavar="TEXT", help="a tag on the user, as the console's")
    create.add_argument("--show-secret", action="store_true", help="print the secret as well")
    _add_account_flags(create)
    _add_unlock(create)
    _add_json(create)


def _add_rotate(commands: _Commands) -> None:
    rotate = _add(
        commands,
        "rotate",
        "replace a key by a new one, step by step",
        "Rotate an access key, or go on with its rotation: create a key, keep its secret, see "
        "that AWS accepts it, let the AWS profiles here use it; later make the old one inactive, "
        f"and delete it. Each run goes as far as --to says. {STATUSES}",
    )
    rotate.add_argument(
        "text",
        nargs="*",
        metavar="ID",
        help=f"the old or the new key's ID, or a text with it; {_FROM_INPUT}",
    )
    rotate.add_argument(
        "--to",
        choices=("verified", "watched", "inactive", "deleted"),
        help="how far to go (default: watched, where both keys work and nothing is cut off)",
    )
    rotate.add_argument(
        "--profiles",
        choices=("process", "rewrite", "leave"),
        help="AWS profiles here: take the key from the keyring, keep static keys, or stay",
    )
    rotate.add_argument(
        "--store", metavar="keyring|csv:PATH", type=_store, help="where the new secret goes"
    )
    rotate.add_argument("--roll-back", action="store_true", help="return to the old key")
    rotate.add_argument("--yes", action="store_true", help="agree to what is asked")
    rotate.add_argument(
        "--own-key", action="store_true", help="agree to be cut off: this shell has the old key"
    )
    _add_account_flags(rotate)
    _add_unlock(rotate)
    _add_json(rotate)


def _add_credentials(commands: _Commands) -> None:
    credentials = _add(
        commands,
        "credentials",
        "print a secret from the keyring for credential_process",
        "Print one key with its secret from the keyring as credential_process JSON.",
    )
    which = credentials.add_mutually_exclusive_group(required=True)
    which.add_argument("key_id", nargs="?", metavar="ACCESS_KEY_ID", help="the key")
    which.add_argument("--user", metavar="NAME", help="this user's only key in the keyring")


def _add_doctor(commands: _Commands) -> None:
    doctor = _add(
        commands,
        "doctor",
        "say what works here and what does not, and how to mend it",
        "Look at AWS, the keyring, the terminal and keytui's files, and say how to mend what does "
        "not work. The exit status is 1 where something does not.",
    )
    _add_account_flags(doctor)
    _add_json(doctor)


def _add_import(commands: _Commands) -> None:
    importing = _add(
        commands,
        "import",
        "take a secret from a file into the keyring",
        "Take the secrets of a console CSV file (accessKeys.csv, rootkey.csv) or of a profile of "
        "an AWS credentials file into the keyring, test them, and offer to remove the plaintext.",
    )
    importing.add_argument("file", metavar="FILE")
    importing.add_argument("--profile", dest="section", metavar="NAME", help="of that file")
    importing.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    importing.add_argument("--endpoint-url", metavar="URL", help="ask STS here, not at AWS")
    _add_read_only(importing)
    importing.add_argument("--yes", action="store_true", help="accept what is offered")


def _add_recover(commands: _Commands) -> None:
    recover = _add(
        commands,
        "recover",
        "say what became of creations that were cut short",
        "Compare keytui's record of creations that were cut short with AWS and the stores, and "
        "offer to delete the keys that nobody can use. The exit status is 3 while something is "
        "open.",
    )
    _add_account_flags(recover)
    recover.add_argument("--yes", action="store_true", help="accept what is offered")


def _add_account_flags(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--profile", metavar="NAME", help="a profile of the AWS config")
    reader.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    reader.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    _add_read_only(reader)
    reader.add_argument(
        "--demo", action="store_const", const=True, help="a demo account that can't reach AWS"
    )
    reader.add_argument(
        "--demo-users",
        type=_number,
        metavar="N",
        help=f"how many users the demo account has (default {DEMO_USERS}); implies --demo",
    )


def _add_read_only(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--read-only", action="store_const", const=True, help="refuse every change")


def _add_unlock(reader: argparse.ArgumentParser) -> None:
    reader.add_argument(
        "--unlock-keyring",
        action="store_true",
        help="ask for the keyring's password first, and start one where there is none",
    )


def _add_json(reader: argparse.ArgumentParser) -> None:
    reader.add_argument("--json", action="store_true", help="print JSON, and ask nothing")


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50_000:
        raise argparse.ArgumentTypeError("takes a number from 1 to 50000")
    return int(text)


def _rules(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if words == ("none",):
        return ()
    known = [rule.option for rule in Rule]
    if not set(words) <= set(known):
        raise argparse.ArgumentTypeError(f"takes a list of {', '.join(known)}, or none")
    return words


def _store(text: str) -> str:
    if text == "keyring" or text.removeprefix("csv:") not in {"", text}:
        return text
    raise argparse.ArgumentTypeError("takes keyring, or csv: and a path")


_ADD: dict[str, Callable[[_Commands], None]] = {
    "find": _add_find,
    "deactivate": _add_deactivate,
    "activate": _add_activate,
    "delete": _add_delete,
    "list": _add_list,
    "audit": _add_audit,
    "fleet": _add_fleet,
    "create": _add_create,
    "rotate": _add_rotate,
    "credentials": _add_credentials,
    "doctor": _add_doctor,
    "import": _add_import,
    "recover": _add_recover,
}
COMMANDS = tuple(_ADD)
"""All commands, in the order of the help."""
