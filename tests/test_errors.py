"""What an error says."""

from fnn.errors import CorruptFileError


def test_a_corrupt_file_error_is_one_line_with_both_its_parts(tmp_path):
    error = CorruptFileError(tmp_path / "a", "is\nnot\twhat it was")
    assert (error.path, error.reason) == (str(tmp_path / "a"), "is not what it was")
    assert str(error) == f"{tmp_path / 'a'}: is not what it was"
