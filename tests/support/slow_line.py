"""A slow line to a port on this machine: every byte comes late, and few come at a time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue

_PIECE = 256


@contextmanager
def slow_line(port: int, latency: float, bits: int) -> Iterator[int]:
    """Lead from a new port to another one while the block runs; yields the new port.

    Args:
        port: Where it leads.
        latency: Seconds that are added to a round trip, half of them each way.
        bits: How many bits pass in a second, each way.
    """
    sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):  # The server has been closed.
                while True:
                    near, _ = server.accept()
                    far = socket.create_connection(("127.0.0.1", port))
                    sockets.extend((near, far))
                    for source, goal in ((near, far), (far, near)):
                        _pump(source, goal, latency / 2, bits / 8)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            for one in (server, *sockets):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()


def _pump(source: socket.socket, goal: socket.socket, delay: float, rate: float) -> None:
    under_way: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

    def take() -> None:
        data = b"-"
        while data:
            try:
                data = source.recv(_PIECE)
            except OSError:
                data = b""
            under_way.put((time.monotonic() + delay, data))

    def give() -> None:
        while True:
            due, data = under_way.get()
            time.sleep(max(due - time.monotonic(), 0))
            with suppress(OSError):
                if not data:
                    goal.shutdown(socket.SHUT_WR)
                    return
                goal.sendall(data)
            time.sleep(len(data) / rate)

    for work in (take, give):
        threading.Thread(target=work, daemon=True).start()
