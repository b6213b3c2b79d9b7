"""The vault: which secrets the keyring holds, and what can be done with one."""
