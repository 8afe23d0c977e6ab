"""What the pages of `docs/` are made and checked with."""
