"""The controls of a request's parameters, made from the one parameter table."""
