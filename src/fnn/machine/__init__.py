"""The machine: hardware, idle cores, signals, cached programs, processes. May import: errors, storage, data."""
