"""View = API, on the Serverless page."""
