"""One run of keytui: its settings, how its parts are joined, the account that is open.

What the command line and the screens share. No asyncio, no widget, no printing.
"""
