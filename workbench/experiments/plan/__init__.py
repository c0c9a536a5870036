"""The way out: how a candidate would be deployed, on what, and for how much."""
