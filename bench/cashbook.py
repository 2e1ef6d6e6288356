"""Fill an empty, migrated shop with cash entries and measure `verify_cashbook`: `python bench/cashbook.py ENTRIES`.

Entries come in sessions of 1,000, each closed with a Z report, over three years: sales by cash and card with their
VAT, some refunds, drops and reversals. Bookings are written in bulk, the chain is computed by the product's own code.
"""

import os
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")

import django

django.setup()

from django.db import connection, transaction

from accounts.models import Role, User
from cashbook import selectors, services
from cashbook.models import SIGN, CashEntry, CashSession, Register, VatShare, write_vat
from products.models import contained_vat

PER_SESSION = 1000
FIRST = datetime(2023, 1, 2, 6, tzinfo=UTC)


def entry(register: Register, session: CashSession, user: User, at: datetime, draw: random.Random) -> CashEntry:
    kind = draw.choices(["sale", "refund", "bank_drop", "paid_out"], [970, 10, 10, 10])[0]
    amount = Decimal(draw.randint(1, 60) * 55).scaleb(-2)
    rate = draw.choice([Decimal("5.50"), Decimal("10.00"), Decimal("20.00")])
    vat = [VatShare(rate, amount, contained_vat(amount, rate))] if kind in ("sale", "refund") else []
    made = CashEntry(
        register=register, session=session, number=register.last_number + 1, type=kind, amount=amount,
        signed_amount=SIGN[kind] * amount, method=draw.choice(["cash", "card"]), user=user, created_at=at,
        reference=f"order:{register.last_number + 1}", previous_hash=register.last_hash, vat=write_vat(vat),
    )  # fmt: skip
    made.hash = made.compute_hash()
    register.last_number, register.last_hash = made.number, made.hash
    return made


def fill(count: int) -> None:
    draw, at = random.Random(5), FIRST
    step = timedelta(days=3 * 365) / count
    user = User(username="till", email="till@example.com", role=Role.CASHIER)
    user.save()
    register = Register.objects.get(name="main")
    for _ in range(0, count, PER_SESSION):
        with transaction.atomic():
            session = services.open_session(register="main", float_amount=Decimal(150), actor=user)
            entries = []
            for _ in range(PER_SESSION):
                at += step
                entries.append(entry(register, session, user, at, draw))
            CashEntry.objects.bulk_create(entries)
            Register.objects.filter(pk=register.pk).update(
                last_number=register.last_number, last_hash=register.last_hash
            )
            services.close_session(session_id=session.pk, counted=Decimal(150), note="", actor=user)
    services.tick(at + timedelta(days=31))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main(count: int) -> None:
    if not CashEntry.objects.exists():
        start = time.monotonic()
        fill(count)
        print(f"filled in {time.monotonic() - start:.1f} s")
        # Measured in a process of its own, which has not held what the filling did.
        raise SystemExit(subprocess.run([sys.executable, __file__, str(count)], check=False).returncode)
    start, spent = time.monotonic(), time.process_time()
    problems = list(selectors.problems())
    seconds, spent = time.monotonic() - start, time.process_time() - spent
    # Not getrusage: its figure counts what the process held that started this one.
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    print(
        f"{connection.vendor}: {CashEntry.objects.count()} entries, {Register.objects.get(name='main').last_z_number} "
        f"Z reports: {seconds:.1f} s, of processor time {spent:.1f} s beside the database's, "
        f"peak {peak:.0f} MB, {len(problems)} problems"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
