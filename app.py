"""Workbench as a script: `python app.py` is `workbench serve`, with the same options."""

from __future__ import annotations

import sys

from workbench.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
