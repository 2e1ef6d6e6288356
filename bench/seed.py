"""Fill an empty, migrated shop with the benchmark's products and orders: `python bench/seed.py PRODUCTS ORDERS`.

The same rows as every peer gets: product 1 has 25 pieces a day, the rest no limit; three lines an order; due on
100 days from 2025-01-01; 5 % each of pending, confirmed, baking, ready and cancelled, the rest completed.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")

import django

django.setup()

from django.db import connection, transaction

from accounts.models import Role, User
from orders.models import Channel, Order, OrderItem, Status
from products.models import Category, Product, VatClass

ADJECTIVES = (
    "Country Rye Golden Rustic Seeded Walnut Honey Spelt Malted Braided Cinnamon Butter Almond Cherry Hazelnut Poppy "
    "Olive Garlic Plum Salted"
).split()
KINDS = (
    "Loaf Roll Baguette Croissant Tart Muffin Strudel Pretzel Brioche Ciabatta Bagel Focaccia Danish Eclair Scone "
    "Biscuit Sponge Stollen Bun Knot Twist Crown Slice Pie Ring"
).split()
CATEGORIES = "bread rolls cakes pastries cookies pies savoury seasonal drinks gifts".split()
STATUSES = {0: Status.PENDING, 1: Status.CONFIRMED, 2: Status.BAKING, 3: Status.READY, 4: Status.CANCELLED}
FIRST_DAY = datetime(2025, 1, 1, 9, tzinfo=UTC)
CHUNK = 5000


def price(number: int) -> Decimal:
    return Decimal(number * 137 % 900 + 100) / 100


def make_products(count: int) -> None:
    standard = VatClass.objects.get(slug="standard")
    categories = [Category.objects.create(name=name, slug=name, position=at) for at, name in enumerate(CATEGORIES)]
    Product.objects.bulk_create(
        (
            Product(
                pk=n, sku=f"SKU-{n}", name=f"{ADJECTIVES[n % 20]} {KINDS[n // 20 % 25]} {n}", slug=f"product-{n}",
                category=categories[n // 7 % 10], price=price(n), vat_class=standard,
                image_source=f"/media/products/{n}.jpg", daily_capacity=25 if n == 1 else None,
            )
            for n in range(1, count + 1)
        ),
        batch_size=CHUNK,
    )  # fmt: skip


def lines_of(number: int, products: int) -> list[OrderItem]:
    lines = []
    for step in range(3):
        product, quantity = (number * 31 + step * 17) % products + 1, (number + step) % 5 + 1
        name = f"{ADJECTIVES[product % 20]} {KINDS[product // 20 % 25]} {product}"
        lines.append(
            OrderItem(
                order_id=number, product_id=product, product_name=name, unit_price=price(product), vat_rate=0,
                quantity=quantity, line_total=price(product) * quantity, vat_amount=0,
            )
        )  # fmt: skip
    return lines


def make_orders(count: int, products: int) -> None:
    for start in range(1, count + 1, CHUNK):
        numbers = range(start, min(start + CHUNK, count + 1))
        lines = {n: lines_of(n, products) for n in numbers}
        orders = []
        for n in numbers:
            due = FIRST_DAY + timedelta(days=n % 100)
            status = STATUSES.get(n * 7919 % 20, Status.COMPLETED)
            total = sum((line.line_total for line in lines[n]), Decimal(0))
            orders.append(
                Order(
                    pk=n, code=f"B{n:09}", tracking_token=f"bench-{n}", status=status, channel=Channel.WEB,
                    customer_name=f"Customer {n}", customer_phone=f"+49 30 {100000 + n}", due_at=due, deadline_at=due,
                    due_on=due.date(), total=total, vat_total=0, paid=total if status == Status.COMPLETED else 0,
                )
            )  # fmt: skip
        Order.objects.bulk_create(orders)
        OrderItem.objects.bulk_create([line for n in numbers for line in lines[n]])


def main(products: int, orders: int) -> None:
    with transaction.atomic():
        user = User(username="bench", email="bench@example.com", role=Role.MANAGER)
        user.set_password("bench-password-1")
        user.save()
        make_products(products)
        make_orders(orders, products)
        if connection.vendor == "postgresql":
            for table in ("products_product", "orders_order"):
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
