"""From a team's question to a verdict: scores, statistics, load, requirements. No model is imported."""
