"""A conversation: one tab's turns, an answer on its way, and how both are shown."""
