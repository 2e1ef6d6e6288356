"""What can be read out of the cash book: its sums, and whether it is still what was written."""

from cashbook.selectors.proof import checks, problems
from cashbook.selectors.sums import Report, Summary, Totals, report, summary

__all__ = ["Report", "Summary", "Totals", "checks", "problems", "report", "summary"]
