"""Data that ships with Workbench: style sheets, pictures, examples; read through importlib.resources."""
