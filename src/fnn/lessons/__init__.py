"""One number at a time: gates, graphs, truth tables, the blackboard. May import: the mathematics, training."""
