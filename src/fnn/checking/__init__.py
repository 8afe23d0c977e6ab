"""Is the gradient right? By hand, by autodiff, by finite differences. May import: the mathematics, training."""

from fnn.checking.check import gradcheck, included, l2
from fnn.checking.exact import check_exactly
from fnn.checking.exact_report import ExactReport
from fnn.checking.report import LeafReport, Report, Worst
from fnn.checking.vjp import check_vjp

__all__ = ["ExactReport", "LeafReport", "Report", "Worst", "check_exactly", "check_vjp", "gradcheck", "included", "l2"]
