"""Pictures, with matplotlib imported at first use. May import: storage, checking."""
