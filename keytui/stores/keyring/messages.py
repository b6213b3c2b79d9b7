"""What is said of a keyring that did not do it: what happened, and how to mend it."""

from keytui.stores.keyring.codes import Trouble

_OR_CSV = ", or choose the CSV file"

_WORDS: dict[Trouble, tuple[str, str]] = {
    Trouble.NO_BUS: (
        "There is no D-Bus session here, so no OS keyring can be reached.",
        "Start keytui with --unlock-keyring, which makes one{or_csv}.",
    ),
    Trouble.NO_SERVICE: (
        "No keyring service answers on this D-Bus session.",
        "Install gnome-keyring and start keytui with --unlock-keyring{or_csv}.",
    ),
    Trouble.NO_COLLECTION: (
        "The OS keyring holds no default collection yet.",
        "keytui --unlock-keyring makes one with a new password{or_csv}.",
    ),
    Trouble.LOCKED: (
        "The OS keyring is locked.",
        "Unlock it in its own window or with keytui --unlock-keyring{or_csv}.",
    ),
    Trouble.WRONG_PASSWORD: ("That is not the keyring's password.", "Try again."),
    Trouble.FOREIGN: (
        "This Secret Service can't be unlocked from here.",
        "Unlock it in its own window, such as KeePassXC's or KWallet's.",
    ),
    Trouble.NO_PACKAGE: (
        "The keyring {detail} is asked for, and its Python package is not installed.",
        "Install it with: pip install 'keytui[{detail}]'.",
    ),
    Trouble.NO_PASS: (
        "The keyring pass is asked for, and the command pass is not installed.",
        "Install it, for instance with: sudo apt install pass.",
    ),
    Trouble.PASS_FAILED: (
        "pass could not do it: most often gpg has the key's passphrase not at hand.",
        "Run keytui --unlock-keyring, which lets gpg ask for it{or_csv}.",
    ),
    Trouble.REFUSED: (
        "keytui does not trust a secret to the keyring backend {detail}{why}.",
        "Unset PYTHON_KEYRING_BACKEND or default-keyring in keyringrc.cfg{or_csv}.",
    ),
    Trouble.BAD_SETTING: (
        "The setting {detail} names no keyring that works here.",
        "Correct or unset it{or_csv}.",
    ),
    Trouble.DIFFERS: (
        "The OS keyring gave back something else than it was given.",
        "Keep the secret in another place, such as a CSV file.",
    ),
    Trouble.STILL_THERE: (
        "The OS keyring still holds what it was told to delete.",
        "Delete it in the desktop's password application.",
    ),
    Trouble.NOT_STORED: ("The OS keyring holds no secret for {key_id}.", ""),
    Trouble.UNREADABLE: (
        "What the OS keyring holds for {key_id} was not written by keytui.",
        "Look at it in the desktop's password application.",
    ),
    Trouble.NO_LIBRARY: (
        "Python's keyring library can't be loaded.",
        "Install keytui again with all its dependencies{or_csv}.",
    ),
    Trouble.FAILED: (
        "The OS keyring failed ({detail}).",
        "Try again{or_csv}.",
    ),
    Trouble.TIMEOUT: (
        "The OS keyring gave no answer within {timeout:g} s and was given up.",
        "Unlock it or restart it and try again{or_csv}.",
    ),
    Trouble.CRASHED: (
        "keytui's keyring helper ended without an answer.",
        "Try again{or_csv}.",
    ),
}

_WHY_REFUSED = {
    "keyring.backends.null": ", which keeps nothing",
    "keyring.backends.fail": ", which can keep nothing",
    "keyring.backends.chainer": ", which has no keyring behind it",
    "keyrings.alt": ", which keeps secrets in a file of its own",
}

_NAMED_WORDS: dict[tuple[str, Trouble], tuple[str, str]] = {
    ("pass", Trouble.NO_COLLECTION): (
        "pass has no password store yet.",
        "Make one with: pass init YOUR-GPG-KEY.",
    ),
    ("cryptfile", Trouble.NO_COLLECTION): (
        "There is no encrypted file yet.",
        "keytui --unlock-keyring makes one with a new password.",
    ),
    ("cryptfile", Trouble.LOCKED): (
        "The encrypted file is locked.",
        "Start keytui with --unlock-keyring; other programs need KEYRING_CRYPTFILE_PASSWORD.",
    ),
}


def words(
    kind: str, trouble: Trouble, label: str, *, for_a_new_secret: bool, **names: object
) -> tuple[str, str]:
    """Return what happened and the next step.

    Args:
        kind: ``os``, or the name of the keyring that was asked for.
        trouble: Why it was not done.
        label: The keyring by name.
        for_a_new_secret: Whether a secret waits for a place, and may go to another.
        names: What the sentences name: ``detail``, ``key_id`` and ``timeout`` in seconds.
    """
    title, next_step = _NAMED_WORDS.get((kind, trouble)) or _WORDS[trouble]
    detail = str(names["detail"])
    why = next((why for part, why in _WHY_REFUSED.items() if detail.startswith(part)), "")
    or_csv = _OR_CSV if for_a_new_secret else ""
    title = title.format(why=why, **names)
    if kind != "os":
        title = title.replace("The OS keyring", f"The {label.partition(' (')[0].lower()}")
    return title, next_step.format(or_csv=or_csv, **names)
