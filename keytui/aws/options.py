"""How to reach AWS, as plain values; imports no SDK, so that it is there at once."""

from dataclasses import dataclass, field

from keytui.core.mfa import MfaDesk
from keytui.core.model import Secret


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Where to connect and as whom.

    With ``access_key_id`` and ``secret`` set, nothing else of the machine's AWS setup is
    used: no profile, no credentials, no proxy, no endpoint but ``endpoint_url``. The demo
    account is reached this way and so can't be mistaken for AWS.

    Attributes:
        profile: A profile of the AWS config; None for ``AWS_PROFILE`` or the default one.
        region: Chooses the partition (``us-gov-west-1``, ``cn-north-1``); None for the
            configured region, else us-east-1.
        endpoint_url: Where IAM and STS are asked instead of at AWS.
        access_key_id: The demo account's made-up access key ID.
        secret: The demo account's made-up secret.
        mfa: Where MFA codes are asked for.
        quiet: Whether what the profile runs for its credentials may ask nothing: it gets no
            terminal, no display, and is stopped after a while.
        on_screen: Whether a screen is drawn on the terminal: what the profile runs for its
            credentials must not write over it or take its keys, and ends with it.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret: Secret | None = None
    mfa: MfaDesk = field(default_factory=MfaDesk, repr=False, compare=False)
    quiet: bool = False
    on_screen: bool = False

    def __post_init__(self) -> None:
        if (self.access_key_id is None) != (self.secret is None):
            raise ValueError("An access key ID and its secret go together")
        if self.access_key_id is not None and not self.endpoint_url:
            raise ValueError("Made-up credentials need an endpoint of their own")
