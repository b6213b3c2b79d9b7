"""The nouns, errors, rules and ports that everything else is made of.

Also what every layer needs of the system: private files, threads, waiting, safe text. Nothing
here knows AWS's SDK, a store, a screen or a command.
"""
