"""The tutorials: programs of cells, and the pages that are made of them. `tests/test_docs.py` runs the pages."""

import re

import pytest

from experiments.docs.tutorials import FOLDER, cells, page

PROGRAMS = sorted(FOLDER.glob("*.py"))


def without_output(text):
    return re.sub(r"^```text\n.*?^```\n\n", "", text, flags=re.M | re.S)


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda source: source.stem)
def test_the_page_has_the_texts_and_the_code_of_the_program(source):
    program, shown = (source.with_suffix(ending).read_text(encoding="utf-8") for ending in (".py", ".md"))
    assert len(program.splitlines()) < 100
    expected = page(source.stem, program)
    assert without_output(shown) == without_output(expected), "run python -m experiments.docs.tutorials"
    assert shown.count("```text") == expected.count("```text")
    assert "\n?\n" not in shown


def test_every_page_has_its_program():
    assert PROGRAMS
    assert sorted(FOLDER.glob("*.md")) == [source.with_suffix(".md") for source in PROGRAMS]


def test_a_program_is_cut_into_texts_and_code():
    program = "# %% [markdown]\n# # A title\n#\n# Text.\n\n# %%\nx = 1\n# a comment\n\n# %%\nprint(x)\n"
    assert cells(program) == [("text", "# A title\n\nText."), ("code", "x = 1\n# a comment"), ("code", "print(x)")]
    assert page("one", program).endswith(
        "```python\nprint(x)\n```\n\n```text\n?\n```\n\nThe program: [one.py](one.py)\n"
    )
