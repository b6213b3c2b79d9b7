"""Times are read as the SDK reads them, whatever is sent."""

from datetime import datetime

import pytest
from botocore.utils import parse_timestamp

from keytui.aws.bounds import BoundedSession, timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T10:30:00Z",
        "2026-03-02T10:30:00.25Z",
        "2026-03-02T10:30:00+02:00",
        "20260302T103000Z",
        "Mon, 02 Mar 2026 10:30:00 GMT",
        "1772447400",
        "0001-01-01T00:00:00Z",
    ],
)
def test_time_is_what_the_sdk_says(text: str) -> None:
    assert timestamp(text) == parse_timestamp(text)
    assert timestamp(text).tzinfo is not None


@pytest.mark.parametrize("text", ["2026-02-31T10:30:00Z", "2026-03-02T25:30:00Z", "soon", ""])
def test_what_is_no_time_is_refused_as_the_sdk_refuses_it(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        timestamp(text)


def test_every_session_reads_times_this_way() -> None:
    session = BoundedSession()
    factory = session.get_component("response_parser_factory")
    reader = factory.create_parser("query")._timestamp_parser
    assert reader is timestamp
    assert isinstance(reader("2026-03-02T10:30:00Z"), datetime)
