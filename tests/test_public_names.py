"""What the public names of `fnn` promise."""

import inspect
import pathlib
import re

import pytest

import fnn

SOURCE = pathlib.Path(fnn.__file__).parent
API = pathlib.Path(__file__).parents[1] / "docs" / "api"


def test_no_module_hides_behind_an_exported_function():
    assert not {path.stem for path in SOURCE.iterdir()} & set(fnn.__all__)


@pytest.mark.parametrize("name", fnn.__all__)
def test_public_names_have_docstrings(name):
    value = getattr(fnn, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
        for method in (m for k, m in vars(value).items() if inspect.isfunction(m) and not k.startswith("_")):
            assert inspect.getdoc(method), method


def test_examples_are_in_a_section_that_the_pages_show_as_code():
    sources = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    assert not [text for text in sources if re.search(r"^ *Example:$", text, re.M)]  # the section is called Examples


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Dens'"):
        _ = fnn.Dens
    assert "Dense" in dir(fnn)


def test_every_public_name_is_on_one_page_of_the_api():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in API.glob("*.md"))
    named = re.findall(r"^::: fnn\.(\w+)$", pages, re.M)
    assert sorted(named) == sorted(fnn.__all__)
