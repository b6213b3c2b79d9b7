"""The verbs on access keys: create, deactivate, activate, delete, find, recover.

Each verb's order of steps and rules stands here once; it asks through a port and works through
``core.iam.Iam`` and the stores. No dialog, no prompt, no SDK.
"""
