"""What is kept of a run: rows, and the folder they live in."""
