"""Workbench: find out whether an open language model is good, fast, safe and cheap enough."""

__version__ = "0.1.0"
