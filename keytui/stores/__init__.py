"""Where a one-time secret can be kept; one contract for all, and the vault over them.

A store proves that it can be written, keeps a secret, reads it again and compares.
"""
