"""A config: from TOML to values and back. May import: the mathematics, storage, data, training."""
