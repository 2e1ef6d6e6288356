"""X and Z reports on paper: a page of A4 as PDF."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from bakery import clock
from bakery.models import Shop
from bakery.paper import FAMILY, Paper
from cashbook.models import EntryType, Method
from cashbook.selectors import Report

WIDTH = 170
LINE = 5.0

Pair = tuple[str, str]


def to_pdf(report: Report) -> bytes:
    """Return the report as a PDF."""
    shop, session = Shop.get(), report.session
    page = _Page(shop)
    title = f"Z report no. {report.z_number}" if report.z_number else "X report"
    page.top(title, f"{session.register} · session {session.number} · {_time(report.made_at)}")
    page.pairs(
        "",
        [
            ("Opened", f"{_time(session.opened_at)} by {session.opened_by}"),
            *([("Closed", f"{_time(session.closed_at)} by {session.closed_by}")] if session.closed_at else []),
            ("Entries", _span(report)),
            ("Sales and refunds", str(report.transactions)),
            ("Reversals", f"{report.reversals}, together {page.money(report.voided)}"),
        ],
    )
    page.pairs("Sales", _by_method(page, report.sales_by_method))
    if any(report.refunds_by_method.values()):
        page.pairs("Refunds", _by_method(page, report.refunds_by_method))
    page.vat(report)
    page.pairs("Drawer", _drawer(page, report))
    if session.denominations:
        counts = sorted(((Decimal(value), count) for value, count in session.denominations.items()), reverse=True)
        page.pairs("Count", [(f"{count} × {value:.2f}", page.money(value * count)) for value, count in counts])
    if session.note:
        page.pairs("Note", [])
        page.text_block(session.note)
    page.pairs(
        "The book",
        [
            ("All sales less refunds so far", page.money(report.perpetual_total)),
            ("Last entry", str(report.book_number)),
        ],
    )
    page.fine_print(f"Chain head {report.chain_head or 'none'}")
    return bytes(page.output())


def _drawer(page: "_Page", report: Report) -> Iterable[Pair]:
    session = report.session
    yield "Float", page.money(session.float_amount)
    takings = report.sales_by_method[Method.CASH] + report.refunds_by_method[Method.CASH]
    yield "Cash sales less refunds", page.money(takings)
    others = report.by_method[Method.CASH] - takings
    if others:
        yield "Other cash in and out", page.money(others)
    for kind in (EntryType.PAID_IN, EntryType.PAID_OUT, EntryType.BANK_DROP):
        if report.by_type[kind]:
            yield f"   {kind.label}, all methods", page.money(report.by_type[kind])
    yield "Expected", page.money(report.expected)
    if session.counted is not None and session.difference is not None:
        yield "Counted", page.money(session.counted)
        yield "Difference", page.money(session.difference)


def _by_method(page: "_Page", amounts: Mapping[str, Decimal]) -> list[Pair]:
    rows = [(Method(method).label, page.money(amount)) for method, amount in amounts.items() if amount]
    return [*rows, ("Total", page.money(sum(amounts.values(), Decimal(0))))]


def _span(report: Report) -> str:
    return f"{report.entries}, no. {report.first_number} to {report.last_number}" if report.entries else "none"


def _time(at: object) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}"  # type: ignore[arg-type]  # sessions that are closed have it


class _Page(Paper):
    def __init__(self, shop: Shop) -> None:
        super().__init__("Report of the cash book")
        self.shop = shop
        self.set_margins(20, 14)
        self.set_auto_page_break(auto=True, margin=12)
        self.add_page()

    def write_cell(self, width: float, text: str, *, align: str = "L", last: bool = False) -> None:
        self.cell(
            width,
            LINE,
            self.shown(text),
            align=align,
            new_x="LMARGIN" if last else "RIGHT",
            new_y="NEXT" if last else "TOP",
        )

    def money(self, amount: Decimal) -> str:
        return f"{amount:,.2f} {self.shop.currency}"

    def top(self, title: str, below: str) -> None:
        self.set_font(FAMILY, size=10)
        for line in (self.shop.name, *self.shop.address.splitlines()):
            self.write_cell(WIDTH, line, last=True)
        self.ln(4)
        self.set_font(FAMILY, "B", 18)
        self.cell(WIDTH, 9, title, new_x="LMARGIN", new_y="NEXT")
        self.set_font(FAMILY, size=11)
        self.write_cell(WIDTH, below, last=True)

    def heading(self, text: str) -> None:
        self.ln(3)
        if text:
            self.set_font(FAMILY, "B", 11)
            self.write_cell(WIDTH, text, last=True)
            self.line(self.l_margin, self.get_y(), self.l_margin + WIDTH, self.get_y())
        self.set_font(FAMILY, size=10)

    def pairs(self, heading: str, rows: Iterable[Pair]) -> None:
        self.heading(heading)
        for label, value in rows:
            self.write_cell(WIDTH - 80, label)
            self.write_cell(80, value, align="R", last=True)

    def vat(self, report: Report) -> None:
        self.heading("VAT of sales less refunds")
        rows = [("Rate", "Net", "VAT", "Gross")] + [
            ("not told" if row.rate is None else f"{row.rate:.2f} %", *map(self.money, (row.net, row.vat, row.gross)))
            for row in report.by_vat
        ]
        for row in rows:
            self.write_cell(WIDTH - 120, row[0])
            for place, text in enumerate(row[1:], start=1):
                self.write_cell(40, text, align="R", last=place == len(row) - 1)

    def text_block(self, text: str) -> None:
        self.multi_cell(WIDTH, LINE, self.shown(text), new_x="LMARGIN", new_y="NEXT")

    def fine_print(self, text: str) -> None:
        self.ln(2)
        self.set_font("Courier", size=8)
        self.write_cell(WIDTH, text, last=True)
