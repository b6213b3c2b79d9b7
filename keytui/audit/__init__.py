"""The audit: every key of an account with what the rules say of it.

From the credential report in a handful of calls, then checked live user by user; or live
alone, where the report may not be read.
"""
