"""The machine: hardware, environment, idle cores, signals, the cache of programs. May import: errors, data."""
