"""Says where a command without a screen works, if that is not at AWS."""

from keytui.cli.console import complain
from keytui.core.iam import Iam


class Endpoints:
    """Names each endpoint that is not AWS's once."""

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._later: dict[str, None] = {}

    def name(self, iam: Iam) -> None:
        """Name an account's endpoint, before anything is asked or changed there."""
        self._say(iam.custom_endpoint or "")

    def name_later(self, iam: Iam) -> None:
        """Keep an endpoint for ``name_rest``; any thread may do so."""
        self._later[iam.custom_endpoint or ""] = None

    def name_rest(self) -> None:
        """Name what was kept."""
        for url in self._later:
            self._say(url)

    def _say(self, url: str) -> None:
        if url and url not in self._named:
            self._named.add(url)
            complain(f"Using {url} instead of AWS.")
