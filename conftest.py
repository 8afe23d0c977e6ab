"""Compiled programs are kept; what needs other libraries is skipped where they are not.

Under FNN_EXTRAS=1, which `make extras` sets, nothing is skipped.
"""

import contextlib
import os
import sys
from pathlib import Path

import pytest

from fnn.errors import InputError
from fnn.machine import compile_cache

EXTRAS = os.environ.get("FNN_EXTRAS") == "1"

# for the other processes of a session, and for the next one: compiling takes most of the time of all tests
if "jax" not in sys.modules:
    with contextlib.suppress(InputError):  # of a folder that cannot be used
        compile_cache.keep(Path(__file__).parent / ".cache" / "programs")

collect_ignore = [] if EXTRAS else ["src/fnn/interop"]  # doctests, which import these libraries


def refused(report):
    """The report; where nothing may be skipped, a skip has become a failure that gives the skip's reason."""
    if EXTRAS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing is skipped under FNN_EXTRAS=1: {report.longrepr[2]}; add it to the group 'extras'"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Of a test."""
    return refused((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """Of a file."""
    return refused((yield))
