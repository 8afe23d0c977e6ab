"""The blocks of pages that are not run, by page and kind, each with the reason."""

UNRUN = {
    ("README.md", "bash"): "make run and make test install packages; CI runs them",
    ("blocked_steps.md", "formula"): "algebra",
    ("command_line.md", "help"): "a part of what fnn COMMAND --help prints, from which the page is written",
    ("house.md", "text"): "a drawing; tests/test_imports.py compares it with the code",
    ("index.md", "bash"): "make run installs packages; CI runs it",
    ("lecture.md", "console"): "tests/experiments/test_lecture.py runs the nine commands",
    ("schedules.md", "bash"): "needs own.py and mine.toml; tests/runs trains with a schedule of one's own",
    ("schedules.md", "toml"): "a part of a config",
    ("several_devices.md", "bash"): "several processes, or a scheduler; tests/training runs what one machine can",
    ("several_devices.md", "yaml"): "a Kubernetes job",
}
