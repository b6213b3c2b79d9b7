"""All that was found of the profile under the cursor, in sentences."""

from datetime import datetime

from rich.text import Text

from keytui.audit.fleet import Member, OwnKey
from keytui.core.text import plain
from keytui.tui.widgets.key_detail import KeyDetail
from keytui.tui.widgets.text import DIM, FAILS, GLYPHS, STATUS_STYLES, WARNS, ago


class ProfileDetail(KeyDetail):
    """The detail below the list: who it is, each key, and what could not be had."""

    INDENT = 0

    def show_member(self, name: str, member: Member | None, now: datetime, current: str) -> None:
        """Show one profile; ``member`` is None while it is being asked."""
        here = " · in use now" if name == current else ""
        if member is None:
            lines = [Text(f"{plain(name)} is being asked.{here}", style=DIM)]
        else:
            who = f": {plain(member.identity.arn)}" if member.identity else ""
            lines = [Text(f"{plain(name)}{who}{here}", style=DIM)]
            lines += [_key(own, now) for own in member.keys]
            lines += _problems(member)
            if member.identity and not member.keys and not member.error:
                lines.append(Text(_without_keys(member)))
        self.show_sentences(lines)


def _key(own: OwnKey, now: datetime) -> Text:
    key = own.key
    line = Text.assemble(plain(key.id), "  ")
    line.append(f"{GLYPHS[key.status]} {key.status.value}", STATUS_STYLES[key.status])
    line.append(f"  created {ago(key.created, now)}")
    if key.last_used and key.last_used.when:
        where = plain(f"{key.last_used.service} {key.last_used.region}").strip()
        line.append(
            f", last used {ago(key.last_used.when, now)}" + (f" by {where}" if where else "")
        )
    elif key.last_used:
        line.append(", never used")
    if own.signs:
        line.append(", signs here")
    for one in own.findings:
        line.append("  ")
        line.append(f"{one.rule.word} {one.rule.cis}", FAILS if one.fails else WARNS)
    return line


def _problems(member: Member) -> list[Text]:
    lines = []
    if member.error:
        lines.append(Text(plain(member.error.title), style=f"bold {WARNS}"))
        if member.error.next_step:  # Nothing was at stake.
            lines.append(Text(plain(member.error.next_step)))
    if member.note:
        note = f"The last use of its keys is not known: {member.note.title}"
        lines.append(Text(plain(note), style=WARNS))
    return lines


def _without_keys(member: Member) -> str:
    if member.owner is None:
        return "A role or a federated user signs by temporary credentials, and has no keys."
    return "It has no access keys: temporary credentials sign here."
