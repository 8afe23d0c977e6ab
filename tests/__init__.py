"""The tests mirror the folders of `src/fnn`; `helpers` has what several files share. No test file imports another."""
