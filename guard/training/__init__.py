"""How the embedded guard is made: `python -m guard.training --data DIR --out DIR` assembles, trains and reports."""
