"""What keytui has done and what is unfinished: one append-only file, and all replayed from it.

``log`` has the file and its entries, ``locks`` who works on a key creation now, ``recorder``
writes for a verb. ``creations``, ``rotations`` and ``history`` are read from the entries alone.
"""
