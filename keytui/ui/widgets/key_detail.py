"""Everything that is known of the key under the cursor, in sentences."""

from datetime import datetime

from rich.text import Text
from textual.widgets import Static

from keytui.findings import Thresholds, findings
from keytui.inventory import KeyList
from keytui.model import AccessKey, KeyStatus, User
from keytui.ui.text import FAILS, WARNS, ago, moment, plain


class KeyDetail(Static):
    """The detail below the table."""

    def show(
        self, user: User | None, key: AccessKey | None, known: KeyList | None, now: datetime
    ) -> None:
        """Show one key; where there is none, what to do about that."""
        lines: list[Text] = []
        if key:
            lines.append(_dates(key, now))
        elif user and known:
            lines.append(Text(f"{plain(user.name)} has no access keys. c creates one."))
        if key and key.description:
            lines.append(Text(f"“{plain(key.description)}”"))
        if key and known and key.status is not KeyStatus.DELETED:
            lines += _findings(key, known, now)
        if known and known.note:
            lines.append(Text(plain(f"{known.note.title} {known.note.next_step}"), style=WARNS))
        self.update(Text("\n").join(lines))


def _findings(key: AccessKey, known: KeyList, now: datetime) -> list[Text]:
    limits = Thresholds()
    lines = []
    for finding in findings(key, known.keys, now, limits):
        rule = finding.rule.sentence.format(old=limits.old_days, unused=limits.unused_days)
        word = (finding.rule.word, FAILS if finding.fails else "bold")
        lines.append(Text.assemble(word, f": {rule} ", (f"CIS {finding.rule.cis}", "dim")))
    return lines


def _dates(key: AccessKey, now: datetime) -> Text:
    created = f"Created {moment(key.created)}"
    if key.status is KeyStatus.DELETED:
        return Text(f"{created} · deleted with keytui", style="dim")
    if key.last_used is None:
        return Text(created, style="dim")
    if key.last_used.when is None:
        return Text(f"{created} · never used", style="dim")
    where = plain(f"{key.last_used.service} {key.last_used.region}").strip()
    used = f"last used {ago(key.last_used.when, now)} by {where}"
    return Text(f"{created} · {used}", style="dim")
