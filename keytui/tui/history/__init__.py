"""The history: what keytui did on this machine, unfinished first."""
