"""The Docs page."""
