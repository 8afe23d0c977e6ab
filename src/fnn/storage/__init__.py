"""Files, arrays, zips, JSON and checkpoints: written atomically, read without trust. No JAX. May import: errors."""
