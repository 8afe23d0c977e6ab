"""The operating system and its cores: what a result depends on, signals, caches. May import: errors, data."""
