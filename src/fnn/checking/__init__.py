"""Is the gradient right? By hand, by autodiff, by finite differences. May import: the mathematics, training."""

from fnn.checking.check import gradcheck, included, l2
from fnn.checking.report import LeafReport, Report, Worst

__all__ = ["LeafReport", "Report", "Worst", "gradcheck", "included", "l2"]
