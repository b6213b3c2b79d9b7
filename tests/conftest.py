"""Fixtures that any test may ask for, by name."""

pytest_plugins = (
    "tests.faults.summary",
    "tests.support.aws_command",
    "tests.support.aws_env",
    "tests.support.keyring_fixtures",
    "tests.support.sdk_data",
)
