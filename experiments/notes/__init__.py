"""The claims of the lecture notes that fnn grew out of: a topic a file; all: `python -m experiments.notes.claims`."""
