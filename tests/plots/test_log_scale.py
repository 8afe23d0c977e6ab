"""The ticks of a logarithmic axis are plain numbers."""

import pytest

from fnn.plots import curves


@pytest.mark.skipif(not curves.available(), reason="matplotlib is not installed")
@pytest.mark.parametrize("values", [[0.002, 0.3, 40.0], [0.11, 0.13], [1e-7, 1e3]])
def test_a_tick_is_a_number_and_no_formula(values):
    with curves.own_settings():
        fig = curves.figure(4.0, 3.0)
        axes = fig.subplots()
        axes.plot(values)
        curves.log_scale(axes)
        fig.draw_without_rendering()
        labels = [label.get_text() for label in axes.get_yticklabels(which="both") if label.get_text()]
    assert labels
    assert len(set(labels)) == len(labels)
    assert all(float(label.replace("−", "-")) > 0 for label in labels)
