"""A load test by itself, without an experiment around it, against this server or any other."""
