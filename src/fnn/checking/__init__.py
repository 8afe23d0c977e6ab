"""Is the gradient right? By hand, by autodiff, by finite differences. May import: the mathematics, training."""

from fnn.checking.check import gradcheck, included, l2
from fnn.checking.report import LeafReport, Report, Worst
from fnn.checking.vjp import check_vjp

__all__ = ["LeafReport", "Report", "Worst", "check_vjp", "gradcheck", "included", "l2"]
