"""`fnn compare`: how far apart the gradients are, and the time of a step."""

from fnn import cli
from fnn.cli import compare
from fnn.config.reading import load_config
from fnn.runs import preparing


def test_compare_says_how_far_apart_the_gradients_are(config, capsys):
    assert cli.main(["compare", config]) == 0
    out = capsys.readouterr().out
    assert out.count("0 Dense") == out.count("2 Dense") == 2
    assert "nearer to float64" in out
    assert "us per step" in out


def test_compare_counts_the_steps_of_shifted_images(config, capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(compare.comparison, "compare", lambda *_: ())
    monkeypatch.setattr(compare, "_way", lambda way, results, steps: seen.append(steps) or "")
    sets = ["data.shape=[1, 8, 8]", "network.layers=[{type='Flatten'}, {type='Dense', units=10}]"]
    words = [word for entry in (*sets, "training.shifts=true") for word in ("--set", entry)]
    assert cli.main(["compare", config, *words]) == 0
    data = preparing.prepare(load_config(config, sets)).data.train
    assert seen == [-(-5 * data.n // load_config(config).training.batch_size)] * 2
