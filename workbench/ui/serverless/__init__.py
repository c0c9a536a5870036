"""The Serverless page: chat, and the configuration panel beside it."""
