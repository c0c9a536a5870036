"""The routes under /openai and /health, one router a file."""
