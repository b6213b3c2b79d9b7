"""keytui: manage AWS IAM access keys from a terminal."""

__version__ = "0.1.0"
