"""What there is to say of the secret under the cursor, and the secret itself while it is shown."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from keytui.history import place
from keytui.model import Secret
from keytui.plain import plain
from keytui.standing import Standing
from keytui.ui.text import DIM, moment
from keytui.ui.widgets.lines import Line
from keytui.vault import Held

HIDDEN = "•" * 40


class HeldDetail(Vertical):
    """Three lines: whose secret it is, whether IAM has its key, the secret."""

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield Line(id="about")
        yield Line(id="why")
        yield Line(id="secret")

    def show(self, one: Held, now: Standing, secret: Secret | None) -> None:
        """Show these; the secret is hidden where it is None."""
        self._line("about", Text(_about(one)))
        self._line("why", Text(plain(_why(now)), style=DIM))
        text = plain(secret.reveal()) if secret else HIDDEN
        self._line("secret", Text.assemble(("Secret  ", DIM), text))

    def _line(self, name: str, text: Text) -> None:
        text.truncate(max(self.size.width, 1), overflow="ellipsis")
        self.query_one(f"#{name}", Line).show_line(text)


def _about(one: Held) -> str:
    whose = f"{one.user or 'of an unknown user'} in {one.account or 'an unknown account'}"
    return plain(f"{whose}, stored {moment(one.stored_at)} in {place(one.locator)}")


def _why(now: Standing) -> str:
    if now.asking:
        return "AWS is being asked whether it still has the key."
    if now.gone:
        return "IAM has this key no more: its secret is of no use, and x forgets it."
    return f"IAM has this key: {now.status.value}." if now.status else f"Unknown: {now.why}"
