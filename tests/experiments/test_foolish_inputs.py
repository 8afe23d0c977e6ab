"""The fast kinds of foolish inputs: none is accepted in silence, none ends in a traceback."""

import pytest

from experiments.campaigns import foolish_inputs
from experiments.campaigns.foolish_inputs import outcome

FAST = (foolish_inputs.headers, foolish_inputs.missing_marks, foolish_inputs.odd_labels, foolish_inputs.array_files)
FAST += (foolish_inputs.lengths, foolish_inputs.numbers, foolish_inputs.params_files, foolish_inputs.notations)
FAST += (foolish_inputs.spellings, foolish_inputs.table_files, foolish_inputs.lost_digits, foolish_inputs.shapes)
FAST += (foolish_inputs.arguments,)


@pytest.mark.long
@pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.__name__)
def test_no_input_of_this_kind_is_accepted_and_none_ends_in_a_traceback(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {f"{case.kind}: {case.name}": outcome(case) for case in kind()}
    assert {name: said for name, said in found.items() if said[0] not in ("refused", "right")} == {}


def test_what_is_accepted_is_seen():
    assert outcome(foolish_inputs.Case("some", "one", lambda: 3)) == ("accepted", "3")
    assert outcome(foolish_inputs.Case("some", "one", lambda: 1 / 0))[0] == "traceback"
    assert outcome(foolish_inputs.Case("some", "one", lambda: 3, lambda value: value == 4))[0] == "wrong"
