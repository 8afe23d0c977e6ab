"""Run directories: made, trained in, resumed, loaded, predicted from. May import: all rows but plots and cli."""
