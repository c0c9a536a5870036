"""The HTTP door: OpenAI's routes over the one service, and the access rules in front of everything."""
