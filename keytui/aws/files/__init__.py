"""The AWS config and credentials files, and other files that hold access keys.

``ini`` has their text, ``atomic_file`` writes them, ``profiles`` reads and writes one profile,
``repoint`` gives profiles another key and the old one back (``repoint_text``: the pure part).
``credential_process`` tests a profile's command; ``key_files`` reads files to be imported.
"""
