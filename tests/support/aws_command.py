"""The real aws command line."""

import os
import shutil
import subprocess

import pytest


@pytest.fixture(scope="session")
def aws() -> str:
    """The aws command line, version 2: the one that has ``configure import``."""
    for folder in (os.environ["PATH"], "/usr/bin", "/usr/local/bin"):
        command = shutil.which("aws", path=folder)
        if command and _version(command).startswith("aws-cli/2"):
            return command
    pytest.fail("the aws command line v2 is missing: apt-get install awscli")


def _version(command: str) -> str:
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return done.stdout
