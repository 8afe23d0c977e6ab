"""The formulas of the layers: each as the book has it, and the same computed fast. May import: types."""
