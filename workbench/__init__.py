"""Workbench: find out whether an open language model is good, fast, safe and cheap enough."""

import os

__version__ = "0.1.0"

if "OMP_WAIT_POLICY" not in os.environ:
    # How often a thread that shares a product of matrices looks for the next one before it sleeps. The default, several
    # milliseconds, keeps the core from whoever the others are waiting for, be it this very process's other threads or a
    # browser: a step then takes up to ten times as long. libgomp reads this once, when torch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
