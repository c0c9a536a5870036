"""Experiments: from a team's question to a report, over the one service that page and API use."""
