"""A desktop password prompt that appears and is never answered, as a program of its own."""

import sys
from pathlib import Path

from jeepney import (  # type: ignore[import-untyped]
    HeaderFields,
    MessageType,
    new_method_return,
)
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]


def main(log: Path) -> None:
    """Own the prompter's name, note each call and answer nothing of substance."""
    connection = open_dbus_connection()
    for name in ("org.gnome.keyring.SystemPrompter", "org.gnome.keyring.PrivatePrompter"):
        connection.send_and_get_reply(message_bus.RequestName(name))
    log.touch()
    while True:
        message = connection.receive()
        if message.header.message_type is MessageType.method_call:
            with log.open("a") as lines:
                lines.write(f"{message.header.fields[HeaderFields.member]}\n")
            connection.send(new_method_return(message))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
