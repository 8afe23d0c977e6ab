"""Files that are whole or not there at all: NumPy arrays, zips, JSON, checkpoints. No JAX. May import: errors."""
