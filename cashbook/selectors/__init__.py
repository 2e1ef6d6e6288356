"""What can be read out of the cash book: its sums, and whether it is still what was written."""

from cashbook.selectors.proof import checks, problems
from cashbook.selectors.statements import Month, Report, kept, kept_month, month, next_month, report, report_of, write
from cashbook.selectors.sums import TURNOVER, Summary, Totals, summary

__all__ = [
    "TURNOVER", "Month", "Report", "Summary", "Totals", "checks", "kept", "kept_month", "month", "next_month",
    "problems", "report", "report_of", "summary", "write",
]  # fmt: skip
