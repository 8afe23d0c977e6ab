"""Whether a gradient is right: three opinions about every coordinate, a report that finds the bug."""

from fnn.checking.check import gradcheck, included, l2
from fnn.checking.report import LeafReport, Report, Worst

__all__ = ["LeafReport", "Report", "Worst", "gradcheck", "included", "l2"]
