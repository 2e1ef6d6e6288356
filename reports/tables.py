"""Reports as tables, for files that a spreadsheet opens."""

from collections.abc import Iterable

from bakery import clock
from bakery.tables import Cell, Table
from cashbook.models import EntryType, Method
from cashbook.selectors import Summary
from reports.selectors import OverrideReport, SalesReport


def of_sales(report: SalesReport) -> Table:
    columns = ("key", "label", "orders", "quantity", "gross", "vat", "net")
    rows: Iterable[tuple[Cell, ...]] = (
        (row.key, row.label, row.orders, row.quantity, row.gross, row.vat, row.net) for row in report.rows
    )
    return Table(f"sales-{report.group_by}-{report.first}-{report.last}", columns, rows)


def of_cash(report: Summary) -> Table:
    columns = ("date", "in", "out", "net", *Method.values, *EntryType.values)
    rows: Iterable[tuple[Cell, ...]] = (
        (f"{day.date}", day.money_in, day.money_out, day.net, *day.by_method.values(), *day.by_type.values())
        for day in report.days
    )
    return Table(f"cash-{report.first}-{report.last}", columns, rows)


def of_overrides(report: OverrideReport) -> Table:
    columns = ("at", "user", "code", "due_at", "action", "rules", "reason")
    rows: Iterable[tuple[Cell, ...]] = (
        (
            clock.local(row.at).isoformat(), row.user, row.code, clock.local(row.due_at).isoformat(), row.action,
            " ".join(row.rules), row.reason,
        )
        for row in report.rows
    )  # fmt: skip
    return Table(f"overrides-{report.first}-{report.last}", columns, rows)
