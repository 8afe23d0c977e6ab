"""Other libraries, each an extra imported at first use: sklearn optax onnx safetensors. May import: all rows but cli.

Only `cli` may import this row.
"""
