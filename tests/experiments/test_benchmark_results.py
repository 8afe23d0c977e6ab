"""Where the benchmark's results go: a folder for each kind of machine, and a page that lists them."""

import json
import os
import platform
import shutil
import subprocess
import sys

import pytest

from experiments.benchmark import holding, index
from experiments.benchmark.kinds import kind, slug, vectors
from fnn.machine.hardware import instructions


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Intel(R) Xeon(R) Processor", "xeon"),
        ("Intel(R) Xeon(R) Platinum 8488C", "xeon-platinum-8488c"),
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", "core-i7-8550u"),
        ("AMD EPYC 7763 64-Core Processor", "epyc-7763"),
        ("NVIDIA H200", "nvidia-h200"),
    ],
)
def test_a_kind_is_named_by_the_words_that_tell_it(name, expected):
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "xeon-avx512"),
        ({"held": True}, "xeon-avx512-held-to-avx2"),
        ({"vectors": "NEON", "processor": "arm"}, "arm-neon"),
        ({"vectors": "", "processor": ""}, "unknown"),
        ({"devices": ["NVIDIA H200"]}, "nvidia-h200"),
    ],
)
def test_a_folder_is_named_by_processor_and_instructions_or_gpu(changes, expected):
    machine = {"processor": "Intel(R) Xeon(R) Processor", "vectors": "AVX-512", "held": False, "devices": ["cpu"]}
    assert kind(machine | changes) == expected


def test_the_widest_vectors_count():
    assert vectors("flags: sse avx avx2 avx512f avx512vl") == "AVX-512"
    assert vectors("flags: sse avx avx2") == "AVX2"
    assert vectors("Features: fp asimd") == "NEON"
    assert vectors("") == ""


def test_the_page_of_results_is_that_of_the_files():
    assert (index.RESULTS / "README.md").read_text() == index.page(index.RESULTS)


def test_results_stand_in_the_folder_of_their_kind():
    for path in index.RESULTS.rglob("benchmark.json"):
        machine = json.loads(path.read_text())["machine"]
        if "vectors" in machine:  # earlier ones do not say it
            assert path.relative_to(index.RESULTS).parts[0] == kind(machine)


def test_the_page_shows_the_worst_ratio_of_a_goal(tmp_path):
    rows = [("fnn, backprop", 1.0), ("PyTorch, eager", 3.0), ("PyTorch, eager, 1 thread", 2.0)]
    cases = [
        {
            "name": "convolution",
            "title": f"Filters, mini-batch {size}",
            "rows": [{"contestant": name, "samples": [seconds * factor] * 3} for name, seconds in rows],
        }
        for size, factor in ((10, 1.0), (64, 2.0))
    ]
    cases[1]["rows"][2]["samples"] = [7.0] * 3
    (tmp_path / "abacus").mkdir()
    results = {"machine": {"processor": "abacus"}, "versions": {"jax": "1"}, "cases": cases}
    (tmp_path / "abacus" / "benchmark.json").write_text(json.dumps(results))
    last = index.page(tmp_path).splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")][1:-1] == [
        *("[abacus](abacus/benchmark.md)", "abacus", "1"),
        *("", "", "", "", "", "2.00", "3.00", "", ""),
    ]


def test_a_process_that_is_held_sees_no_avx512(tmp_path):
    if platform.system() != "Linux" or not {"avx512f", "cpuid_fault"} <= set(instructions().split()):
        pytest.skip("needs Linux and a processor with AVX-512 whose CPUID can fault")
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    environment = os.environ | {holding.VARIABLE: str(holding.compiled(tmp_path))}
    program = (
        "from experiments.benchmark.holding import is_held;"
        "from numpy._core._multiarray_umath import __cpu_features__ as found;"
        "print(is_held(), found['AVX512F'], found['AVX2'])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["True", "False", "True"], "")


def test_a_compiler_is_not_held():
    held = {holding.VARIABLE: f"/home/{holding.SOURCE.stem}.so", "PATH": "/bin"}
    assert holding.not_held(held) == {"PATH": "/bin"}
    assert holding.not_held({holding.VARIABLE: "theirs.so"}) == {holding.VARIABLE: "theirs.so"}


def test_without_a_compiler_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match="got no C compiler, expected one that is called cc; install one"):
        holding.compiled(tmp_path)
