"""The Guard lab."""
