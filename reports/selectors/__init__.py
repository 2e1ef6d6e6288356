"""What the reports say."""

from reports.selectors.overrides import OverrideReport, OverrideRow, overrides
from reports.selectors.sales import GROUPINGS, Key, SalesReport, sales

__all__ = ["GROUPINGS", "Key", "OverrideReport", "OverrideRow", "SalesReport", "overrides", "sales"]
