"""Measure keytui and print what came out beside what it compares with."""

import os
import platform
import sys
import time
from collections.abc import Iterable

from bench import line
from bench.credentials import credentials
from bench.measures import FEW, MANY, Bench, bench, demo, filtering, launch, memory, middle, moves
from bench.terminal import COLUMNS, ROWS

LAUNCHES = 7
DEMOS = 3
CREDENTIALS = 15
IDLE_SECONDS = 3.0

Row = tuple[str, str, str, str, str]
"""What, keytui's figure, the aim, beside what, the ratio."""

TITLES: Row = ("", "keytui", "aim", "beside", "ratio")


def main() -> None:
    """Run all measurements, one after the other: about a minute and a half."""
    start = time.monotonic()
    rows: list[Row] = []
    with bench() as here:
        launched = launch(here, LAUNCHES)
        users = middle(launched.users)
        bare = middle(launched.bare)
        what = "launch → users on the screen"
        for version, times in launched.aws.items():
            rows.append(_row(what, users, middle(times), f"aws iam list-users, {version}", _s))
            what = ""
        rows.append(_row(what or "launch → users", users, bare, "bare Textual's frame", _s))
        rows.append(_row("launch → first frame", middle(launched.frame), bare, "the same", _s))
        rows.append(_row("launch → a user's keys", middle(launched.keys), bare, "the same", _s))
        ours, theirs = credentials(here, CREDENTIALS)
        beside = "import keyring; get_password"
        rows.append(_row("keytui credentials", middle(ours), middle(theirs), beside, _s))
        demos = middle(demo(here, DEMOS))
        rows.append((f"demo of {MANY:,}: launch → all users", _s(demos), "3 s", "", ""))

        held = memory(here)
        sdk, plain = held["sdk"], held["bare"]
        with_sdk = "bare Textual, botocore, keyring"
        for name, count in (("few", FEW), ("many", MANY)):
            figure = held[name].resident
            rows.append(_row(f"resident, {count:,} users", figure, sdk.resident, with_sdk, _mb))
            if share := held[name].proportional:
                rows.append(
                    _row("  shared pages divided", share, sdk.proportional, "the same", _mb)
                )
        rows.append(("", "", "", f"bare Textual alone {_mb(plain.resident)}", ""))

        keys = filtering(here)
        pressed = middle(keys.keytui)
        echo = middle(keys.bare)
        rows.append(
            _row(f"filter key → frame, {MANY:,} users", pressed, echo, "a key in a bare line", _ms)
        )
        rows.append(("  95 of 100 keys under", _ms(keys.p95), "", f"{len(keys.keytui)} keys", ""))
        rows.append(("  bytes it brings", _kb(middle(keys.size)), "", "", ""))

        moved = moves(here, IDLE_SECONDS)
        rows += _line(here)
    rows += [
        ("bytes without ssh, first frame", _kb(middle(launched.frame_bytes)), "", "", ""),
        ("  first screen complete", _kb(middle(launched.all_bytes)), "", "", ""),
        ("  move to the next key", _kb(middle(moved.key)), "1 KB", "", ""),
        ("  move to the next user", _kb(middle(moved.user)), "1 KB", "and their keys", ""),
        (f"  {IDLE_SECONDS:.0f} s idle", f"{moved.idle} B", "0 B", "", ""),
    ]
    _print(rows, time.monotonic() - start)


def _line(here: Bench) -> list[Row]:
    """Return the byte budget over ssh, beside another browser measured the same way."""
    own = line.keytui(here)
    other, name = line.peer(here)
    screen, move = ("", ""), ("", "")
    if other:
        screen = (f"{name} {_kb(other.screen)}", f"{own.screen / other.screen:.2f}")
        move = (f"{name} {_kb(other.move)}", f"{own.move / other.move:.2f}")
    idle = f"{name} {other.idle} B" if other else name
    return [
        ("bytes over ssh, first screen", _kb(own.screen), "24 KB", *screen),
        ("  a move of the cursor", _kb(own.move), "1 KB", *move),
        ("  a filter key, the largest", _kb(max(own.keys)), "4 KB", "", ""),
        ("  opening the reveal", _kb(own.reveal), "8 KB", "", ""),
        (f"  {line.IDLE_SECONDS:.0f} s idle", f"{own.idle} B", "0 B", idle, ""),
    ]


def _row(what: str, figure: float, other: float, beside: str, unit: "Unit") -> Row:
    aim = {"filter": "16 ms", "keytui": "1.5"}.get(what.partition(" ")[0], "")
    return (what, unit(figure), aim, f"{beside} {unit(other)}", f"{figure / other:.2f}")


class Unit:
    """How figures are written."""

    def __init__(self, pattern: str, divisor: float = 1.0) -> None:
        self._pattern = pattern
        self._divisor = divisor

    def __call__(self, figure: float) -> str:
        """Return a figure with its unit."""
        return self._pattern.format(figure / self._divisor)


_s = Unit("{:.2f} s")
_ms = Unit("{:.1f} ms")
_mb = Unit("{:.0f} MB")
_kb = Unit("{:.2f} KB", 1024)


def _print(rows: Iterable[Row], seconds: float) -> None:
    table = [TITLES, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(TITLES))]
    lines = [
        f"keytui on a terminal of {COLUMNS}×{ROWS}; medians, all from this run "
        f"(Python {platform.python_version()}, {os.cpu_count()} cores, {seconds:.0f} s)",
        "",
    ]
    for row in table:
        label, figure, aim, beside, ratio = (
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        )
        cells = (label, figure.strip().rjust(widths[1]), aim.strip().rjust(widths[2]))
        lines.append("   ".join((*cells, beside, ratio.strip().rjust(widths[4]))).rstrip())
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
