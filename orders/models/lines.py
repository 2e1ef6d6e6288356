"""The lines of orders: what is stored of them, what is shown, and the VAT that they contain."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Self

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Round

from bakery.db import MoneyField
from cashbook.models import VatShare
from products.models import Product


class OrderItem(models.Model):
    """A product and a count. Name, price and VAT rate are those of the moment it was ordered."""

    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_items")
    product_name = models.CharField(max_length=200)
    unit_price = MoneyField()
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    quantity = models.IntegerField(help_text="Negative where a ticket of another till took goods back.")
    line_total = MoneyField()
    vat_amount = MoneyField(
        help_text="This line's part of the VAT of its rate, so that the lines of an order add up to it exactly."
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(quantity=0), name="order_item_quantity_not_zero"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="order_item_price_not_negative"),
            models.CheckConstraint(
                # Rounded, since SQLite multiplies floating-point numbers: 3 × 1.10 is not 3.30 to it.
                condition=Q(line_total=Round(F("unit_price") * F("quantity"), 2)),
                name="order_item_total_is_price_times_quantity",
            ),
            models.CheckConstraint(condition=Q(vat_rate__gte=0, vat_rate__lte=100), name="order_item_rate_percentage"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_name}"


class Line(NamedTuple):
    """A line of an order to be shown. Pages of orders have many: a model's machinery would cost more than reading."""

    id: int
    product_id: int
    product_name: str
    unit_price: Decimal
    vat_rate: Decimal
    quantity: int
    line_total: Decimal
    vat_amount: Decimal
    note: str

    @classmethod
    def of(cls, item: OrderItem) -> Self:
        return cls._make(getattr(item, name) for name in cls._fields)

    @classmethod
    def of_orders(cls, orders: Iterable[int]) -> dict[int, list[Self]]:
        """Return the lines of each of `orders` (ids) that has any, in their order, in one query."""
        ids = list(orders)
        lines: dict[int, list[Self]] = {}
        if not ids:
            return lines
        # A page has a thousand amounts, and the ORM's way from SQLite's numbers to Decimal is a long one.
        amount = "printf('%%.2f', {})" if connection.vendor == "sqlite" else "{}"
        amounts = [amount.format(name) for name in ("unit_price", "vat_rate", "line_total", "vat_amount")]
        marks = ", ".join(["%s"] * len(ids))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(amounts)}, order_id, id, product_id, product_name, quantity, note"  # noqa: S608  # our own names
                f" FROM orders_orderitem WHERE order_id IN ({marks}) ORDER BY id",
                ids,
            )
            for *read, order, pk, product, name, quantity, note in cursor.fetchall():
                price, rate, total, vat = map(Decimal, read)
                line = cls(pk, product, name, price, rate, quantity, total, vat, note)
                lines.setdefault(order, []).append(line)
        return lines


def vat_buckets(items: Iterable[OrderItem | Line]) -> list[VatShare]:
    """Return what lines contain at each VAT rate, the lowest rate first."""
    sums: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for item in items:
        gross, vat = sums.get(item.vat_rate, (Decimal(0), Decimal(0)))
        sums[item.vat_rate] = gross + item.line_total, vat + item.vat_amount
    return [VatShare(rate, *sums[rate]) for rate in sorted(sums)]
