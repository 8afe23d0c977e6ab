"""The names of files and folders in the directory of a run and of a sweep."""

CONFIG = "config.json"
RESULT = "result.json"
METRICS = "metrics.jsonl"
TIMELESS = "metrics.jsonl without seconds"  # in result.json: what the hash of the metrics without their times is called
CHECKPOINTS = "checkpoints"  # the folder that holds them
NETWORKS = "networks"  # the folder in a sweep's directory that holds its networks
