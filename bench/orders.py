"""Ask two shops, of 5,000 and of 500,000 orders, for the same lists in turns: `python bench/orders.py [URL URL]`.

The URLs are those of two empty databases, the small shop's first; without them, SQLite in a temporary folder. Both
have 1,000 products; a twentieth of the orders each are pending, confirmed, baking, ready and cancelled.
"""

import sys

from turns import row, two_shops

SIZES = (5_000, 500_000)
PRODUCTS = 1_000
ROUNDS = 100
LISTS = {
    "pending, first page": "/api/orders?status=pending",
    "pending, fifth page": "/api/orders?status=pending&page=5",
    "pending or confirmed": "/api/orders?status=pending&status=confirmed",
    "all, first page": "/api/orders",
    "of one day": "/api/orders?due_date=2025-02-03",
    "of one day, ready": "/api/orders?due_date=2025-02-03&status=ready",
}


def main(urls: list[str]) -> None:
    with two_shops(SIZES, urls, lambda size: ["bench/seed.py", str(PRODUCTS), str(size)]) as shops:
        for shop in shops:
            signed_in = shop.send("POST", "/api/auth/login", {"username": "bench", "password": "bench-password-1"})
            shop.headers["Authorization"] = f"Bearer {signed_in['data']['access']}"
        times: dict[str, list[list[float]]] = {kind: [[], []] for kind in LISTS}
        totals: dict[str, list[int]] = {}
        for _ in range(ROUNDS):
            for kind, path in LISTS.items():
                answers = [shop.ask(path) for shop in shops]
                totals[kind] = [total for _, total in answers]
                for kept, (took, _) in zip(times[kind], answers, strict=True):
                    kept.append(took)
    print(f"| list | orders | p50, {SIZES[0]:,} | p50, {SIZES[1]:,} | ratio | p95, {SIZES[1]:,} |")
    print("|---|---|---|---|---|---|")
    for kind, (small, large) in times.items():
        print(row(kind, " – ".join(f"{total:,}" for total in totals[kind]), small, large))


if __name__ == "__main__":
    main(sys.argv[1:])
