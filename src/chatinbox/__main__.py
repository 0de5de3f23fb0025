"""`python -m chatinbox`: the command line."""

from chatinbox.app.command import main

if __name__ == "__main__":
    raise SystemExit(main())
