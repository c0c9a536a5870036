"""The page: Gradio components over the service. Importing it imports Gradio, so only `serve` does."""
