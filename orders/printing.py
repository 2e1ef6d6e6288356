"""Packing slips and delivery lists on paper, as PDF."""

from collections.abc import Iterable, Iterator
from typing import cast

from django.template.defaultfilters import pluralize

from bakery import clock
from bakery.models import Shop
from bakery.paper import FAMILY, Paper
from orders.models import RELEASED, Fulfilment, Order
from orders.selectors import MOST_ON_PAPER, Drive, Slip, Stack

MARGIN = 15
LINE = 5.0
BOX = "☐"
# Of the delivery list: how wide its columns are, and how many lines of a cell fit a page with a good margin.
COLUMNS = (8, 14, 42, 50, 44, 22)
MOST_LINES = 40
# So many of the widest letters are sure to fit the narrowest column that people write in.
LETTERS = 13


def slips(stack: Stack) -> bytes:
    """Return a page for each slip, more where its lines need them."""
    page = _Page("Packing slips", stack.left_out)
    for slip in stack.slips:
        page.start(slip.order)
        page.customer(slip.order)
        page.lines(slip)
        page.allergens(slip)
        page.money(slip.order)
    if not stack.slips:
        page.add_page()
        page.say("No order is to be packed.")
    return bytes(page.output())


def delivery_lists(drives: list[Drive], left_out: int) -> bytes:
    """Return a list for each day, which starts on a page of its own."""
    page = _Page("Delivery list", left_out)
    for drive in drives:
        page.add_page()
        page.drive(drive)
    if not drives:
        page.add_page()
        page.say("No delivery is to go out.")
    return bytes(page.output())


def words_of_due(order: Order) -> str:
    """Return when an order is due, as people read it."""
    due = clock.local(order.due_at)
    return f"{due:%A} {due.day} {due:%B %Y}, {due:%H:%M}"


def what_is_left_out(count: int) -> str:
    """Return what every page says where a print is not complete."""
    return f"Only the first {MOST_ON_PAPER} orders are printed; {count} more are not." if count else ""


class _Page(Paper):
    below = ""

    def __init__(self, title: str, left_out: int) -> None:
        super().__init__(title)
        self.shop, self.notice = Shop.get(), what_is_left_out(left_out)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=18)

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(FAMILY, size=8)
        self.cell(0, LINE, self.shown(" · ".join(filter(None, (self.shop.name, self.below, self.notice)))))
        self.cell(0, LINE, f"page {self.page_no()}", align="R")

    def say(self, text: str, *, size: int = 10, bold: bool = False) -> None:
        """Write `text` from here to the right margin, on as many lines as it needs."""
        self.set_font(FAMILY, "B" if bold else "", size)
        shown, height = self.shown(text), size / 2
        if "\n" not in shown and self.x + self.get_string_width(shown) < self.w - MARGIN - 1:
            # To look for where a line may break takes ten times as long, and hundreds of slips are printed at once.
            self.cell(0, height, shown, new_x="LMARGIN", new_y="NEXT")
        elif shown:
            self.multi_cell(0, height, shown, new_x="LMARGIN", new_y="NEXT", align="L")

    def start(self, order: Order) -> None:
        self.add_page()
        # Not before: a page gets its footer when the next one starts.
        self.below = f"Order {order.code}"
        self.say(" · ".join(filter(None, (self.shop.name, *self.shop.address.splitlines(), self.shop.phone))), size=9)
        self.ln(4)
        self.say(order.code, size=28, bold=True)
        self.say(f"{words_of_due(order)} · {Fulfilment(order.fulfilment).label}", size=14, bold=True)
        if order.status in RELEASED:
            self.say(order.get_status_display().upper(), size=14, bold=True)

    def customer(self, order: Order) -> None:
        self.ln(2)
        self.say(" · ".join(filter(None, (order.customer_name, order.customer_phone))), size=12)
        if order.fulfilment == Fulfilment.DELIVERY:
            self.say(order.address, size=12)
        if order.notes:
            self.ln(1)
            self.say(f"Note: {order.notes}", size=11, bold=True)
        self.ln(3)

    def lines(self, slip: Slip) -> None:
        for line in slip.lines:
            said = allergens_of(line.contains, line.may_contain)
            if self.will_page_break((1 + len(said)) * LINE + 3):
                self.add_page()
            self.line(MARGIN, self.y, self.w - MARGIN, self.y)
            self.ln(1)
            self.set_font(FAMILY, "B", 11)
            self.cell(8, LINE, BOX)
            self.cell(14, LINE, f"{line.quantity} ×", align="R")
            self.say(f"{line.name} – {line.note}" if line.note else line.name, size=11, bold=True)
            for sentence in said:
                self.set_x(MARGIN + 22)
                self.say(sentence)
            self.ln(1)

    def allergens(self, slip: Slip) -> None:
        self.ln(3)
        self.say("Allergens in this order (Regulation (EU) No 1169/2011)", bold=True)
        for sentence in allergens_of(slip.contains, slip.may_contain):
            self.say(sentence)

    def money(self, order: Order) -> None:
        self.ln(3)
        currency = self.shop.currency
        owed = f", to collect {order.balance} {currency}" if order.balance > 0 else ", paid"
        # For what is cancelled nothing is owed, and yet it may not be paid.
        told = "" if order.status in RELEASED else owed
        self.say(f"Total {order.total} {currency}{told}", size=12, bold=True)

    def drive(self, drive: Drive) -> None:
        self.below = f"Deliveries of {drive.day}"
        self.say(f"Deliveries of {drive.day:%A} {drive.day}", size=16, bold=True)
        collect = f"to collect {drive.to_collect} {self.shop.currency}"
        self.say(f"{len(drive.deliveries)} stop{pluralize(len(drive.deliveries))}, {collect}", size=11)
        self.ln(3)
        self.set_font(FAMILY, size=9)
        with self.table(
            col_widths=COLUMNS,
            text_align=("CENTER", "LEFT", "LEFT", "LEFT", "LEFT", "RIGHT"),
            borders_layout="HORIZONTAL_LINES", line_height=LINE - 0.5, padding=1, v_align="TOP",
        ) as table:  # fmt: skip
            table.row(("", "Time", "Who", "Where", "What", "To collect"))
            for delivery in drive.deliveries:
                order = delivery.order
                who = _told((order.customer_name, order.customer_phone, order.code))
                where = _told((order.address, order.notes and f"Note: {order.notes}"))
                collect = f"{delivery.to_collect:.2f}" if delivery.to_collect else "paid"
                cells = (f"{clock.local(order.due_at):%H:%M}", who, where, _told(delivery.goods), collect)
                for row in self.rows((BOX, *map(self.shown, cells))):
                    table.row(row)

    def rows(self, cells: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Divide the cells of a stop among as many rows as it takes: a row is never broken, so it must fit a page."""
        # Nearly every stop is a few lines, and hundreds of lists are printed at once: to break lines takes long.
        if all(len(text) / LETTERS + text.count("\n") < MOST_LINES for text in cells):
            yield cells
            return
        columns = [
            cast("list[str]", self.multi_cell(width - 2, LINE, text, dry_run=True, output="LINES", align="L"))
            for width, text in zip(COLUMNS, cells, strict=True)
        ]
        for at in range(0, max(map(len, columns)), MOST_LINES):
            yield tuple("\n".join(lines[at : at + MOST_LINES]) for lines in columns)


def allergens_of(contains: list[str], may_contain: list[str]) -> list[str]:
    """Return what is to be said of allergens. Nothing recorded is no promise that there is none."""
    said = [f"Contains: {', '.join(contains)}"] if contains else ["No allergen is recorded"]
    return said + ([f"May contain: {', '.join(may_contain)}"] if may_contain else [])


def _told(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)
