"""`fnn` timed beside what a user could pick instead, on the same work in one run: `python -m experiments.benchmark`."""
