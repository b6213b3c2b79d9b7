"""Run keytui as ``python -m keytui``."""

from keytui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
