"""Everything that is known of the key under the cursor, in sentences."""

from datetime import datetime

from rich.text import Text
from textual.widgets import Static

from keytui.findings import Thresholds, findings
from keytui.inventory import KeyList
from keytui.model import AccessKey, KeyStatus
from keytui.ui.text import FAILS, ago, moment, plain


class KeyDetail(Static):
    """The detail below the table."""

    def show(self, key: AccessKey | None, known: KeyList | None, now: datetime) -> None:
        """Show one key; nothing where there is none."""
        lines: list[Text] = []
        if key:
            lines.append(_dates(key, now))
            if key.description:
                lines.append(Text(f"“{plain(key.description)}”"))
        if key and known and key.status is not KeyStatus.DELETED:
            for finding in findings(key, known.keys, now):
                limits = Thresholds()
                rule = finding.rule.sentence.format(old=limits.old_days, unused=limits.unused_days)
                word = (finding.rule.word, FAILS if finding.fails else "bold")
                lines.append(Text.assemble(word, f": {rule} ", (f"CIS {finding.rule.cis}", "dim")))
        if known and known.note:
            lines.append(Text(plain(known.note.title), style="yellow"))
        self.update(Text("\n").join(lines))


def _dates(key: AccessKey, now: datetime) -> Text:
    created = f"Created {moment(key.created)}"
    if key.status is KeyStatus.DELETED:
        return Text(f"{created} · deleted with keytui", style="dim")
    if key.last_used is None:
        return Text(created, style="dim")
    if key.last_used.when is None:
        return Text(f"{created} · never used", style="dim")
    where = plain(f"{key.last_used.service} {key.last_used.region}").strip()
    used = f"last used {ago(key.last_used.when, now)}, {moment(key.last_used.when)}, by {where}"
    return Text(f"{created} · {used}", style="dim")
