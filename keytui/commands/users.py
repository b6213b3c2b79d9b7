"""The users of an account, for commands that go through all of them."""

from collections.abc import Sequence

from keytui.commands.console import progress
from keytui.inventory import Inventory
from keytui.model import ROOT_USER, User
from keytui.ui.account import Account


def all_users(account: Account) -> Sequence[User]:
    """Return the account's users by name; the root user first where it is the caller.

    Raises:
        AccessDeniedError: They may not be listed.
        AwsError: They can't be.
    """
    progress("Reading users")
    inventory = Inventory()
    inventory.add([ROOT_USER] if account.identity.is_root else [])
    inventory.add([user for page in account.iam.users() for user in page])
    return inventory.users
