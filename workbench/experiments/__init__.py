"""Experiments: from a team's question to a report, over the one service that page and API use.

`spec` says what is asked, `run` asks it, `record` is what is kept of that, `results` what the kept rows come to, `plan`
how a candidate would be deployed, `report` what people and programs read of it all. `load` is a load test by itself.
"""
