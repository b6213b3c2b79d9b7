"""A KWallet daemon that says whether its wallet is open, as a program of its own."""

import sys
from pathlib import Path

from jeepney import (  # type: ignore[import-untyped]
    HeaderFields,
    MessageType,
    new_method_return,
)
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]


def main(log: Path, is_open: bool) -> None:
    """Answer ``networkWallet`` and ``isOpen``; note every call."""
    connection = open_dbus_connection()
    connection.send_and_get_reply(message_bus.RequestName("org.kde.kwalletd5"))
    log.touch()
    while True:
        message = connection.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        member = message.header.fields[HeaderFields.member]
        with log.open("a") as lines:
            lines.write(f"{member}\n")
        if member == "networkWallet":
            connection.send(new_method_return(message, "s", ("kdewallet",)))
        else:
            connection.send(new_method_return(message, "b", (is_open,)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "open")
