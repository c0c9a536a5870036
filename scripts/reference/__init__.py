"""The reference part of the documentation, written from the code: what is documented is what runs.

`python -m scripts.reference` writes docs/reference; with `--check` it fails when a page differs from the code.
"""
