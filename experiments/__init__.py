"""Experiments, run from a checkout by `python -m experiments.FOLDER.NAME`."""
