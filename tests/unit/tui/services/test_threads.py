"""Blocking work away from the event loop."""

import asyncio
import threading

import pytest

from keytui.core.errors import NotFoundError
from keytui.tui.services.threads import in_thread


async def test_result_comes_back() -> None:
    here = threading.get_ident()
    there = await in_thread(threading.get_ident)
    assert there != here


async def test_failure_comes_back_whole() -> None:
    error = NotFoundError("Gone.")

    def fail() -> None:
        raise error

    with pytest.raises(NotFoundError) as caught:
        await in_thread(fail)
    assert caught.value is error


async def test_loop_goes_on_while_the_work_is_done() -> None:
    gate = threading.Event()
    work = asyncio.ensure_future(in_thread(lambda: gate.wait(30)))
    await asyncio.sleep(0)
    assert not work.done()
    gate.set()
    assert await work


async def test_leaving_does_not_wait_for_the_work() -> None:
    gate, daemon = threading.Event(), threading.Event()

    def hang() -> None:
        if threading.current_thread().daemon:
            daemon.set()
        gate.wait(30)

    work = asyncio.ensure_future(in_thread(hang))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert daemon.wait(10), "a thread that is no daemon would hold up the exit"
    gate.set()


def test_work_that_ends_after_the_loop_is_closed_is_dropped() -> None:
    gate, started, ended = threading.Event(), threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def late() -> None:
        threads.append(threading.current_thread())
        started.set()
        gate.wait(30)
        ended.set()

    async def leave() -> None:
        work = asyncio.ensure_future(in_thread(late))
        await asyncio.sleep(0)
        work.cancel()

    asyncio.run(leave())
    assert started.wait(10)
    gate.set()
    threads[0].join(10)
    assert ended.is_set()
    assert not threads[0].is_alive()
