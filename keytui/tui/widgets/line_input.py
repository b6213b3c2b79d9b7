"""A line to type on."""

from collections.abc import Callable

from textual.geometry import Size
from textual.reactive import reactive
from textual.widgets import Input


class LineInput(Input):
    """Textual's input in one line, with a cursor that does not blink: idle means no bytes."""

    # The line's size does not depend on its value: typing needs no new layout.
    value = reactive("", layout=False, init=False)
    virtual_size = reactive(Size(0, 0), layout=False)

    def __init__(
        self,
        value: str | None = None,
        placeholder: str = "",
        *,
        max_length: int = 0,
        password: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        self.on_value: Callable[[], object] = lambda: None
        """Called at once when the value has changed, so that both are painted in one frame."""
        super().__init__(
            value,
            placeholder,
            max_length=max_length,
            password=password,
            id=id,
            classes=classes,
            compact=True,
        )
        self.cursor_blink = False

    def _watch_value(self, value: str) -> None:
        super()._watch_value(value)
        self.on_value()
