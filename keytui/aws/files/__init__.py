"""The AWS config and credentials files: profiles found, written, repointed and put back."""
