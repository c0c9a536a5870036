"""Screening of what goes into a model and comes out of it: guards, verdicts, the pipeline around a chat."""
