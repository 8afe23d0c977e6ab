"""The runner of the pages: it sees what differs, and lets pass what a processor may change."""

import pytest

from experiments.docs.blocks import blocks, sections_left_out
from experiments.docs.page import in_a_folder, rewritten
from experiments.docs.sameness import difference

PRINTS = "```python\nprint({})\n```\n\n```text\n{}\n```\n"


def faults(tmp_path, page):
    path = tmp_path / "page.md"
    path.write_text(page)
    wrong, better = in_a_folder(path)
    return [fault.removeprefix(f"{path}:") for fault in wrong], rewritten(page, better)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("accuracy 96.2%", "accuracy 96.9%"),
        ("sd 0.35%, 0.00%", "sd 0.71%, 0.70%"),
        ("cost 0.0612", "cost 0.0634"),
        ("cost 0.02", "cost 0.00"),  # two units of the last digit
        ("trained in 0.03 s, 21 µs a step", "trained in 12.5 s, 4 µs a step"),
        ("difference 3.7e-09", "difference 1.2e-11"),
        ("difference 5.7e-01", "difference 5.6e-01"),
        ("run directory: runs/xor-0a1b2c3d", "run directory: runs/xor-ffffffff"),
        ("a   b", "a b"),
        ("first\n...\nlast", "first\nsecond\nthird\nlast"),
        ("...\nlast", "last"),
        ("first\n...\nmiddle 1.0\n...", "first\na\nmiddle 1.1\nb"),
    ],
)
def test_what_a_processor_may_change_is_the_same(shown, printed):
    assert difference(shown, printed, console=False) == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("accuracy 96.2%", "accuracy 79.9%"),
        ("40 of 50 coordinates", "41 of 50 coordinates"),
        ("the gradient is right", "the gradient is WRONG"),
        ("cost 0.5", "cost -0.5"),
        ("difference 3.7e-09", "difference 0.4"),
        ("difference 3.7e-01", "difference 1.2e-11"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("first\n...\nlast", "first\nlast\nmore"),
        ("first\n...\nmiddle\n...\nlast", "first\nlast"),
        ("runs/xor-0a1b2c3d", "runs/or-0a1b2c3d"),
        ("W (30, 64)", "W (30, 10)"),
    ],
)
def test_what_else_differs_is_told(shown, printed):
    assert difference(shown, printed, console=False)


def test_whole_numbers_that_a_training_decides_may_differ_a_little_on_the_command_line():
    assert difference("kept epoch 7 of 1,000", "kept epoch 9 of 1,050", console=True) == ""
    assert difference("kept epoch 7", "kept epoch 28", console=True)


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        (PRINTS.format("1 + 1", 2), []),
        (PRINTS.format("1 + 1", 3), ["6:   shown   3\n  printed 2"]),
        ("```python\nprint(1)\n```\n", ["2:   shown   (nothing)\n  printed 1"]),
        ("```python\nx = 1\n```\n" + PRINTS.format("x", 1), []),
        ('```toml title="a/b.toml"\nx = 1\n```\n\n```console\n$ cat a/b.toml\nx = 1\n```\n', []),
        ('```python title="own_name.py"\nx = 5\n```\n\n' + PRINTS.format("__import__('own_name').x", 5), []),
        ("```console\n$ false\n$ echo $?\n1\n```\n", []),
        ("```console\n$ echo a \\\n  b\na b\n$ ls docs\ncustomers.csv\n```\n", []),
        ("```bash\nfalse\n```\n", []),
    ],
)
def test_a_page_is_run_as_it_is_read(page, wrong, tmp_path):
    assert faults(tmp_path, page)[0] == wrong


def test_an_error_in_a_program_is_shown(tmp_path):
    (fault,), _ = faults(tmp_path, "```python\nprint(1)\nraise ValueError('of mine')\n```\n\n```text\n1\n```\n")
    assert "raise ValueError('of mine')\nValueError: of mine" in fault


def test_a_command_that_fails_needs_its_status_shown(tmp_path):
    (fault,), _ = faults(tmp_path, "```console\n$ cat absent\n```\n")
    assert "ended with status 1, which no $ echo $? shows" in fault


def test_what_was_printed_can_be_written_into_the_page(tmp_path):
    page = "```console\n$ echo a\n$ echo b\nc\n```\n\n" + PRINTS.format(7, 8)
    assert faults(tmp_path, page)[1] == "```console\n$ echo a\na\n$ echo b\nb\n```\n\n" + PRINTS.format(7, 7)


def test_a_section_without_its_library_is_left_out():
    one = "```python\nimport json\n```\n## One\n```python\nimport no_such_package\n```\n"
    page = one + "## Two\n<!-- needs: none_such -->\n"
    assert sections_left_out(page) == {1: ["no_such_package"], 2: ["none_such"]}
    assert [block.section for block in blocks(page)] == [0, 1]
