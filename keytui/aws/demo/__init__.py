"""The demo account: an IAM of moto's in a process of its own, which reaches no network.

``people`` is the account as data, ``account`` serves it, ``server`` starts and ends that process.
"""
