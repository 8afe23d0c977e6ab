"""What `fnn.interop.sklearn` says where scikit-learn is not installed."""

import builtins
import importlib
import sys

import pytest


def test_a_missing_scikit_learn_is_one_line_with_the_remedy(monkeypatch):
    def without(name, *arguments):
        if name.split(".")[0] == "sklearn":
            raise ModuleNotFoundError("No module named 'sklearn'")
        return imported(name, *arguments)

    imported = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    for name in ("fnn.interop.sklearn", "fnn.interop.sklearn_network"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("fnn.interop.sklearn")
    assert str(caught.value) == (
        "fnn.interop.sklearn needs scikit-learn 1.6 or newer (No module named 'sklearn'); get it with  "
        "pip install 'fnn[sklearn]'"
    )
    assert caught.value.__suppress_context__
