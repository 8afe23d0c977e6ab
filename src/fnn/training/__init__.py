"""The loop over examples: mini-batches, epochs, evaluation, sweeps. May import: the mathematics, kernels."""
