"""report.html, verdict.json, tables and start files: what people and programs read of an experiment."""
