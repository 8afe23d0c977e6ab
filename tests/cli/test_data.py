"""`fnn data`: the sources, and one of them in full."""

from fnn import cli
from tests.helpers.support import fails


def test_data_lists_its_sources(capsys):
    assert cli.main(["data"]) == 0
    assert {"digits", "mnist", "xor"} <= {line.split(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert cli.main(["data", "digits"]) == 0
    assert "CC BY 4.0" in capsys.readouterr().out
    fails(capsys, 2, "did you mean 'digits'", "data", "digit")
