"""Under FNN_EXTRAS=1 a test that skips has failed, and so has a file of tests that skips."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SKIPS = {
    "test_a_test.py": "import pytest\n\ndef test_one():\n    pytest.importorskip('no_such_package')\n",
    "test_a_mark.py": "import pytest\n\n@pytest.mark.skip(reason='no_such_package')\ndef test_one():\n    pass\n",
    "test_a_file.py": "import pytest\n\npytest.importorskip('no_such_package')\n",
}


def test_a_skip_fails_where_nothing_may_be_skipped(tmp_path):
    shutil.copy(Path(__file__).parents[2] / "conftest.py", tmp_path)
    for name, code in SKIPS.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    options = ["-p", "no:cacheprovider", "--continue-on-collection-errors", "--rootdir", str(tmp_path)]
    environment = {**os.environ, "FNN_EXTRAS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    assert "1 failed, 2 errors" in said
    assert said.count("nothing is skipped under FNN_EXTRAS=1") >= 3
