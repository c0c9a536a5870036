"""A run: requests sent, judged, loaded, and stored as they end."""
