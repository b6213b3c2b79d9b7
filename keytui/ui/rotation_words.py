"""What a rotation says of itself, in sentences."""

from datetime import datetime

from rich.text import Text

from keytui.history import place
from keytui.journal import Event
from keytui.model import LastUsed
from keytui.plain import plain
from keytui.rotation.rotator import Watch
from keytui.rotation.state import Rotation, Step
from keytui.ui.text import DIM, WARNS, ago, moment

GRAIN = "AWS tells of a use up to 15 minutes late."


def next_words(rotation: Rotation, watch: Watch | None, now: datetime) -> list[str]:
    """Return what happens next, a sentence a line."""
    old, new = rotation.old_id, rotation.new_id
    match rotation.ended:
        case Event.ROTATED:
            return [f"Done: {new} has taken the place of {old}, which is deleted."]
        case Event.ROLLED_BACK:
            return [f"Rolled back: {old} is the key again."]
        case Event.ABANDONED:
            return ["Left as it is: both keys stay."]
    if rotation.rolling_back:
        return ["The way back was not finished.", "b goes on with it; nothing else can be done."]
    if rotation.unsettled:
        return [
            "What became of the new key, or of its secret, is not known.",
            "Enter looks for it at AWS; the old key is as it was.",
        ]
    if rotation.keyless:
        return [
            "The new key was deleted, and AWS profiles here still name it.",
            "b rolls back: it puts the profiles back, and the old key stays.",
        ]
    if rotation.secretless:
        return [
            f"The secret of {new} is kept nowhere: nobody can use that key.",
            "b rolls back: it deletes the new key, and the old one stays.",
        ]
    if rotation.step is None:
        return [f"{old} is deleted.", "Enter ends the rotation: its secret and backups go."]
    return _of_step(rotation, watch, now)


def _of_step(rotation: Rotation, watch: Watch | None, now: datetime) -> list[str]:
    old, new = rotation.old_id, rotation.new_id
    match rotation.step:
        case Step.CREATE:
            return [
                "Enter creates the new key, and keeps its secret.",
                "The old key stays as it is.",
            ]
        case Step.VERIFY:
            return [
                f"Enter asks AWS until it accepts {new} three times in a row, with the secret "
                f"as {place(rotation.store)} has it.",
                "A new key takes 8 to 15 seconds as a rule. The old key stays as it is.",
            ]
        case Step.REPOINT:
            return [
                "Enter shows which AWS profiles here would be changed to use the new key.",
                "Both keys work.",
            ]
        case Step.WATCH | Step.RETIRE:
            return [
                "Now everything else that has the old key needs the new one. Enter then makes the "
                "old key inactive, and b undoes that.",
                *_watched(old, watch, now),
            ]
        case Step.DELETE:
            return [
                "The old key is inactive. Leave it so until you are sure that nothing misses it: "
                "R on this user comes back here.",
                "Enter deletes it for good, and the rotation ends. b makes it active again.",
            ]
    return []


def _watched(old: str, watch: Watch | None, now: datetime) -> list[str]:
    if watch is None or watch.old is None:
        return ["When the old key was last used can't be seen now."]
    here = "; ".join(use.text for use in watch.here)
    lines = [f"Still set up here: {here}."] if here else []
    if watch.still_used and watch.old.when:
        where = f"{watch.old.service} in {watch.old.region}".strip()
        return [
            *lines,
            f"{old} was used {ago(watch.old.when, now)} by {where}, after the new key was ready: "
            "something else still has it. Wait, and r looks again.",
        ]
    return [*lines, f"{old} was not used since {moment(watch.since)}. {GRAIN}"]


def key_line(
    title: str, key_id: str, used: LastUsed | None, watch: Watch | None, now: datetime
) -> Text:
    """Return a key with its last use."""
    if not key_id:
        return Text()
    line = Text.assemble((f"  {title}  ", DIM), (plain(key_id), "bold"))
    if used is None:
        return line
    if used.when is None:
        return line.append("  never used", style=DIM)
    where = plain(f"{used.service} {used.region}".strip())
    late = title == "Old key" and watch is not None and watch.still_used
    return line.append(f"  used {ago(used.when, now)} by {where}", style=WARNS if late else DIM)
