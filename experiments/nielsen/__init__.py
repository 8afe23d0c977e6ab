"""The learning curves of Nielsen's book beside ours: `python -m experiments.nielsen.curves`."""
