"""Run directories: made, kept through a crash, resumed, loaded, predicted from. May import: all but plots and cli."""
