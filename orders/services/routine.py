"""What the clock makes due of orders."""

from datetime import datetime

from orders.services import standing, waiting


def tick(now: datetime) -> None:
    """Serve who waits, then turn standing orders into orders."""
    waiting.serve_all(now)
    standing.generate(now)
