"""What the main screen reads: the account, its users, the keys of the one looked at."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from textual.screen import Screen
from textual.worker import Worker

from keytui.core.errors import KeytuiError
from keytui.core.key_ids import IdsInText
from keytui.core.model import User
from keytui.tui.services.flow_runner import Flow
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread


class Reader:
    """Reads in workers of the main screen; a newer one of a group takes the place of an older."""

    def __init__(self, screen: Screen[Any], stage: Stage) -> None:
        self._screen, self._stage = screen, stage
        self._wanted = stage.ctx.settings.user

    def connect(self) -> None:
        """Connect and read the users."""
        self._work(self._connect, "account", "read the account")

    def read_all(self) -> None:
        """Read the users, of whom only one was looked for so far."""
        self._work(self._read_all, "account", "read the users")

    def look_around(self) -> None:
        """Say what became of creations that were cut short."""
        self._work(self._look_around, "recovery", "look into unfinished creations")

    def look_at_keyring(self) -> None:
        """Show which keyring is in use."""
        self._work(self._look_at_keyring, "keyring", "look at the keyring")

    def read_user(self, user: User) -> None:
        """Read the keys of the highlighted user."""
        self._work(partial(self._read_user, user), "keys", "read a user's keys")

    def complete_user(self, user: User) -> None:
        """Read last use and descriptions of keys that are listed already."""
        self._work(partial(self._complete_user, user), "keys", "read the rest about a user's keys")

    async def open_at(self, named: IdsInText) -> None:
        """Open at a key without reading the account: this is for a leaked one."""
        from keytui.tui.keys.find import find
        from keytui.tui.services.reading import open_account

        try:
            await open_account(self._stage)
            self._stage.view.draw_users()
            await find(self._stage, named)
            self.look_around()
        except KeytuiError as error:
            self._stopped(error)
        self.look_at_keyring()

    def _work(self, work: Callable[[], Flow], group: str, description: str) -> None:
        _: Worker[None] = self._screen.run_worker(
            work, group=group, description=description, exclusive=True
        )

    async def _connect(self) -> None:
        from keytui.tui.services.reading import open_account, open_user, read_users

        stage = self._stage
        self._screen.workers.cancel_group(self._screen, "report")
        stage.connection.keys_read.clear()
        try:
            account = await open_account(stage, ahead=True)
            wanted, self._wanted = self._wanted, None
            if wanted is not None:
                await open_user(stage, wanted)
            if account.inventory.users:
                stage.view.user_changed()  # Their keys are read beside the users.
            await read_users(stage, account)
            self.look_around()
            self._look_further()
        except KeytuiError as error:
            self._stopped(error)
        self.look_at_keyring()

    async def _read_all(self) -> None:
        from keytui.tui.services.reading import read_users

        try:
            await read_users(self._stage, self._stage.account)
            self._look_further()
        except KeytuiError as error:
            self._stopped(error)

    def _stopped(self, error: KeytuiError) -> None:
        self._stage.problem(error)
        self._stage.view.draw_stopped()

    def _look_further(self) -> None:
        """Keep the users for the next start; read what AWS says of all their keys.

        Both wait until the keys that one looks at are here.
        """
        self._work(self._look_at_report, "report", "read the credential report")

    async def _look_at_report(self) -> None:
        from keytui.tui.audit.flow import look_at_report

        connection = self._stage.connection
        await connection.keys_read.wait()
        if account := connection.current:
            profile = connection.profile  # Another may be chosen meanwhile.
            await in_thread(lambda: connection.keep_users(profile, account))
        with suppress(KeytuiError):  # Another profile may have been chosen meanwhile.
            await look_at_report(self._stage)

    async def _look_around(self) -> None:
        from keytui.tui.keys.recover import look_around

        try:
            await look_around(self._stage)
        except KeytuiError as error:
            self._stage.problem(error)

    async def _look_at_keyring(self) -> None:
        keyring = self._stage.ctx.keyring
        self._stage.view.draw_keyring(await in_thread(lambda: keyring.probe(canary=False)))

    async def _read_user(self, user: User) -> None:
        from keytui.tui.services.reading import read_user

        try:
            await read_user(self._stage, user)
        except KeytuiError as error:
            self._stage.view.not_read(user, error)
        self._stage.connection.keys_read.set()

    async def _complete_user(self, user: User) -> None:
        from keytui.tui.services.reading import complete_user

        await complete_user(self._stage, user)
        self._stage.connection.keys_read.set()
