"""What the stored rows come to: scores, differences, loads, verdicts."""
