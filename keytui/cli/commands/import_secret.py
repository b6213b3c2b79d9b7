"""``keytui import``: take the secrets of a file into the keyring, and the file out of the way."""

from argparse import ArgumentParser

from keytui.aws.files.plain_file import FoundFile
from keytui.cli.console import ConsolePort, agreed, on_terminal, say
from keytui.cli.parser import EXIT_DONE, EXIT_FAILED, Command, Request, add_read_only
from keytui.core.port import run_now
from keytui.keys.importing import import_keys
from keytui.session.context import Context


def import_secret(ctx: Context, file: str, *, section: str | None, yes: bool) -> int:
    """Take the secrets of a file into the keyring, test them, and offer to remove the plaintext.

    Args:
        ctx: The parts of this run.
        file: The file's path as typed.
        section: The profile wanted of an AWS config or credentials file; None for the only one.
        yes: Remove the plaintext without asking. Otherwise that is asked about on a terminal,
            and elsewhere not done.

    Returns:
        0 where all was done, 1 where something failed.

    Raises:
        KeytuiError: The file can't be used; nothing was imported.
        ReadOnlyError: In read-only mode, before the file is looked at.
    """

    def read() -> FoundFile:
        gate = ctx.settings.gate
        return FoundFile(file, section, ctx.aws_files(), ctx.profile_limits, gate)

    done = run_now(import_keys(ctx.importer, read, ConsoleImport(), sure=yes))
    return EXIT_DONE if done else EXIT_FAILED


class ConsoleImport(ConsolePort):
    """Prints everything to standard output, and asks on a terminal."""

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Print a line of the result, also where something failed."""
        del good
        say(sentence)

    async def agree(self, question: str) -> bool:
        if not on_terminal():
            say(f"{question} There is nobody to ask here; --yes answers yes.")
            return False
        return agreed(question)


def _run(ctx: Context, request: Request) -> int:
    options = request.options
    return import_secret(ctx, options["file"], section=options["section"], yes=bool(options["yes"]))


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("file", metavar="FILE")
    reader.add_argument("--profile", dest="section", metavar="NAME", help="of that file")
    reader.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    reader.add_argument("--endpoint-url", metavar="URL", help="ask STS here, not at AWS")
    add_read_only(reader)
    reader.add_argument("--yes", action="store_true", help="accept what is offered")


COMMANDS = {
    "import": Command(
        "take a secret from a file into the keyring",
        "Take the secrets of a console CSV file (accessKeys.csv, rootkey.csv) or of a profile of "
        "an AWS credentials file into the keyring, test them, and offer to remove the plaintext.",
        _arguments,
        _run,
        refused=True,
        unusable=EXIT_FAILED,
    )
}
