"""Data that ships with Workbench: style sheets, pictures, examples, catalogues. Read through importlib.resources."""
