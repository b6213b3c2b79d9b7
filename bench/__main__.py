"""Measure keytui and print what came out beside what it compares with.

``python -m bench [PART...]`` measures these parts alone, such as ``launch`` or ``growth``.
"""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from bench import growth, line, memory
from bench.auditing import LIMIT, LIVE_USERS, SAMPLE, audit, live
from bench.credentials import credentials
from bench.launching import Launch, demo, launch
from bench.moving import moves
from bench.pressing import PAGES, echo, filtering, paging
from bench.setting import FEW, LATENCY, MANY, Bench, bench, middle
from bench.table import KILOBYTES, MEGABYTES, MILLISECONDS, SECONDS, Row, lines
from bench.terminal import COLUMNS, ROWS

LAUNCHES = 7
DEMOS = 3
AUDITS = 3
CREDENTIALS = 15
BURSTS = (20, 2)
IDLE_SECONDS = 3.0


def launches(here: Bench) -> Iterator[Row]:
    """From launch to the users, with and without a latency."""
    for latency in (0.0, LATENCY):
        at = f", {latency * 1000:.0f} ms a call" if latency else ""
        few = launch(here, here.few, latency, LAUNCHES)
        yield from _beside_aws(f"{FEW} users as last seen{at}", few.last_seen, few, "0.70")
        yield from _beside_aws(f"{FEW} users confirmed{at}", few.users, few, "1.10")
        many = launch(here, here.many, latency, LAUNCHES)
        yield from _beside_aws(f"{MANY:,} users as last seen{at}", many.last_seen, many, "")
        yield from _beside_aws(f"{MANY:,} users, can be filtered{at}", many.users, many, "1.00")
        if not latency:
            bare, beside = middle(few.bare), "bare Textual's frame"
            yield SECONDS.beside("launch → first frame", middle(few.frame), "", beside, bare)
            yield SECONDS.beside("launch → a user's keys", middle(few.keys), "", beside, bare)
            yield Row("bytes without ssh, first frame", KILOBYTES(middle(few.frame_bytes)))
            yield Row("  first screen complete", KILOBYTES(middle(few.all_bytes)))
    demos = SECONDS(middle(demo(here, DEMOS)))
    yield Row(f"demo of {MANY:,}: launch → all users", demos, "3 s")


def _beside_aws(what: str, times: list[float], launched: Launch, aim: str) -> Iterator[Row]:
    what = f"launch → {what}"
    for version, theirs in launched.aws.items():
        beside = f"aws iam list-users, {version}"
        yield SECONDS.beside(what, middle(times), aim, beside, middle(theirs))
        what = ""


def audits(here: Bench) -> Iterator[Row]:
    """The audit, and its live way."""
    found = audit(here, here.many, AUDITS)
    loop = f"aws iam list-access-keys × {MANY:,}, from {SAMPLE}:"
    for what, times in (
        (f"launch → audit, {here.many.keys:,} keys, {LATENCY * 1000:.0f} ms a call", found.screen),
        ("  where AWS makes the report first", found.fresh),
        ("  keytui audit --report-only, to its end", found.command),
    ):
        row = SECONDS.beside(what, middle(times), "0.02", loop, found.loop)
        yield row._replace(ratio=f"{middle(times) / found.loop:.4f}")
    yield Row("  calls to the first whole table", str(found.calls), "10")
    yield Row("  where AWS makes the report first", str(found.fresh_calls), "10")
    for burst in BURSTS:
        read = live(here, burst)
        what = f"live way, {LIVE_USERS} users, {LIMIT:.0f} calls a second, bucket of {burst}"
        beside = f"the limit, for {read.calls} calls"
        yield SECONDS.beside(what, read.seconds, "1.10", beside, read.floor)
        shown = "shown" if read.shown else "none shown"
        yield Row("  calls that were refused", str(read.throttled), "", shown)


def presses(here: Bench) -> Iterator[Row]:
    """From a key press to its frame."""
    keys, bare = filtering(here, here.many), echo(here)
    what, beside = f"filter key → frame, {MANY:,} users", "a key in a bare Textual line"
    yield MILLISECONDS.beside(what, keys.middle, "16 ms", beside, bare.middle)
    yield Row("  95 of 100 keys under", MILLISECONDS(keys.p95), "33 ms", f"{len(keys.times)} keys")
    yield Row("  bytes it brings", KILOBYTES(middle(keys.sizes)))
    pages = paging(here, here.many)
    what = f"page key → frame, {here.many.keys:,} audited keys"
    yield Row(what, MILLISECONDS(pages.middle), "33 ms", f"{PAGES} pages")
    yield Row("  95 of 100 keys under", MILLISECONDS(pages.p95))
    yield Row("  bytes it brings", KILOBYTES(middle(pages.sizes)))


def memories(here: Bench) -> Iterator[Row]:
    """What is held in memory."""
    sdk, beside = memory.bare(here, "--sdk"), "bare Textual, boto3, keyring"
    for account, aim in ((here.few, "1.15"), (here.many, "1.60")):
        held = memory.keytui(here, account)
        what = f"resident, {account.users:,} users"
        yield MEGABYTES.beside(what, held.resident, aim, beside, sdk.resident)
        if held.proportional:
            what, other = "  shared pages divided", sdk.proportional
            yield MEGABYTES.beside(what, held.proportional, "", "the same", other)
    yield Row("", "", "", f"bare Textual alone {MEGABYTES(memory.bare(here).resident)}")


def commands(here: Bench) -> Iterator[Row]:
    """What other programs wait for."""
    ours, theirs = credentials(here, CREDENTIALS)
    what, beside = "keytui credentials", "import keyring; get_password"
    yield SECONDS.beside(what, middle(ours), "1.5", beside, middle(theirs))


def bytes_written(here: Bench) -> Iterator[Row]:
    """The byte budget over ssh, beside another browser measured the same way, and without."""
    moved = moves(here, IDLE_SECONDS)  # First: the key made below is looked into by later runs.
    own = line.keytui(here)
    other, name = line.peer(here)
    first = Row("bytes over ssh, first screen", KILOBYTES(own.screen), "24 KB")
    move = Row("  a move of the cursor", KILOBYTES(own.move), "1 KB")
    if other:
        beside = KILOBYTES.beside("", own.screen, "", name, other.screen)
        first = first._replace(beside=beside.beside, ratio=beside.ratio)
        beside = KILOBYTES.beside("", own.move, "", name, other.move)
        move = move._replace(beside=beside.beside, ratio=beside.ratio)
    yield first
    yield move
    yield Row("  a filter key, the largest", KILOBYTES(max(own.keys)), "4 KB")
    yield Row("  opening the reveal", KILOBYTES(own.reveal), "8 KB")
    idle = f"{name} {other.idle} B" if other else name
    yield Row(f"  {line.IDLE_SECONDS:.0f} s idle", f"{own.idle} B", "0 B", idle)
    key, user = KILOBYTES(middle(moved.key)), KILOBYTES(middle(moved.user))
    yield Row("bytes without ssh, move to the next key", key, "1 KB")
    yield Row("  move to the next user", user, "1 KB", "and their keys")
    yield Row(f"  {IDLE_SECONDS:.0f} s idle", f"{moved.idle} B", "0 B")


def grown(here: Bench) -> Iterator[Row]:
    """How cost grows with the account; a Markdown table, as the README has it."""
    print("| Users, a key each | Last seen | Confirmed | Filter key | Audit | Page key | Memory |")
    print("|---" * 7 + "|")
    for users in growth.SIZES:
        size = growth.growth(here, users)
        cells = (
            f"{users:,}",
            SECONDS(size.last_seen),
            SECONDS(size.confirmed),
            MILLISECONDS(size.filter),
            SECONDS(size.audit),
            MILLISECONDS(size.page) if size.page else "–",
            MEGABYTES(size.resident),
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    yield from ()


PARTS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    "launch": launches,
    "audit": audits,
    "keys": presses,
    "memory": memories,
    "commands": commands,
    "bytes": bytes_written,
    "growth": grown,
}


def main() -> None:
    """Run the measurements, one after the other."""
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := set(chosen) - PARTS.keys():
        sys.exit(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    start = time.monotonic()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    print(f"keytui on a terminal of {COLUMNS}×{ROWS}; medians, all from this run ({machine})\n")
    with bench() as here:
        for part in chosen:
            if rows := list(PARTS[part](here)):
                print("\n".join(lines(rows)), flush=True)
            print()
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
