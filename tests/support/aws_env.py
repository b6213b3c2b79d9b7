"""A test's own AWS setup: an empty home, no credentials, no proxy, no metadata service."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class AwsHome:
    """Where this test's AWS config is read from."""

    config: Path
    credentials: Path


@pytest.fixture
def aws_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsHome:
    """Cut the test off from the machine's AWS setup and from AWS itself."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    aws = AwsHome(home / "aws-config", home / "aws-credentials")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(aws.config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(aws.credentials))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return aws
