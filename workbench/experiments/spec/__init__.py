"""What is asked: experiments, their probes and loads, and those that come ready made."""
