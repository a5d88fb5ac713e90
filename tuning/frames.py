"""The report as pandas DataFrames, for notebooks. Owns nothing but the conversion."""

from dataclasses import asdict, fields

import pandas as pd  # type: ignore[import-untyped]

from tuning.line import COLUMNS
from tuning.report import Point, Report


def lines_frame(report: Report) -> pd.DataFrame:
    """One row per line, columns as in JSON and CSV."""
    return pd.DataFrame([line.row() for line in report.lines], columns=list(COLUMNS))


def points_frame(report: Report) -> pd.DataFrame:
    """One row per region and step of time."""
    columns = [field.name for field in fields(Point)]
    return pd.DataFrame([asdict(point) for point in report.points], columns=columns)
