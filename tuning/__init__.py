"""Tuning: how good calls were, where and for whom, how full servers ran, and what to do about it.

Owns the report's numbers and its forms; reads the usage store only. DataFrames for notebooks are
in `tuning.frames`, apart because pandas is slow to import.
"""

from tuning.html import as_html
from tuning.report import Action, Line, Outlier, Point, Quantiles, Report, tuning_report

__all__ = [
    "Action",
    "Line",
    "Outlier",
    "Point",
    "Quantiles",
    "Report",
    "as_html",
    "tuning_report",
]
