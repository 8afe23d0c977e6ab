"""`fnn` and what a user could pick instead, on the same work in the same run; see `__main__`."""
