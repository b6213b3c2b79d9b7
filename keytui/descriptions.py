"""What a key's description may be: the value of an IAM tag. Pure."""

LENGTH = 256
"""The longest value of an IAM tag."""
CHARACTERS = " _.:/=+-@"
"""What the value of an IAM tag may hold besides letters and digits."""


def description_problem(text: str) -> str:
    """Return why a text can't be a description, one sentence; empty where it can."""
    if not all(char.isalnum() or char in CHARACTERS for char in text):
        return f"A description takes letters, digits and {CHARACTERS.strip()} only."
    if len(text) > LENGTH:
        return f"A description takes {LENGTH} characters at most."
    return ""
