"""The vocabulary every layer shares: standard library and pydantic only."""
