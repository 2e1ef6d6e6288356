"""Ask two shops, of 1,000 and of 100,000 products, the same searches in turns: `python bench/search.py [URL URL]`.

The URLs are those of two empty databases, the small shop's first; without them, SQLite in a temporary folder. The
products of the small shop are the first of the large one. Every question is a new one, so that no kept page answers it.
"""

import os
import random
import statistics
import sys
from urllib.parse import quote

from turns import ROOT, Shop, row, two_shops

SIZES = (1_000, 100_000)
ROUNDS = 60
CHUNK = 5000


def invented(draw: random.Random, count: int) -> list[str]:
    parts = [a + b for a in "b br c ch d f fl g gr l m n p pl r s st t tr v".split() for b in "a e é i o ou u".split()]
    ends = "ne tte lle r s ge che nt".split()
    return sorted({"".join(draw.choices(parts, k=draw.choice([2, 2, 3]))) + draw.choice(ends) for _ in range(count)})


COMMON = invented(random.Random(10), 45)
ADJECTIVES, KINDS = COMMON[::2][:20], COMMON[1::2]


def catalogue() -> list[tuple[str, str]]:
    """The name and description of each product: of 20 adjectives, some 20 kinds and 5,000 words that are rare."""
    draw = random.Random(11)
    rare = invented(draw, 5_300)
    return [
        (
            f"{draw.choice(ADJECTIVES)} {draw.choice(KINDS)} {draw.choice(rare).title()}",
            " ".join(["Made with", *draw.choices(rare, k=6), "and", draw.choice(ADJECTIVES).lower()]),
        )
        for _ in range(SIZES[-1])
    ]


def fill(count: int) -> None:
    """Fill the shop of this process's environment."""
    sys.path.insert(0, str(ROOT))  # before this folder, whose files are called as apps are
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bakery.settings")
    import django

    django.setup()
    from django.db import connection, transaction

    from products.models import Category, Product, VatClass

    with transaction.atomic():
        category = Category.objects.create(name="Bread", slug="bread")
        usual = {"category": category, "vat_class": VatClass.objects.get(slug="standard"), "price": 2}
        Product.objects.bulk_create(
            (
                Product(sku=f"SKU-{n:06}", slug=f"p-{n}", name=name, description=description, **usual)
                for n, (name, description) in enumerate(catalogue()[:count])
            ),
            batch_size=CHUNK,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def questions() -> dict[str, list[str]]:
    """What is asked, by its kind; every word stands in the small shop, or in neither."""
    draw = random.Random(12)
    names = [name for name, _ in catalogue()[: SIZES[0]]]
    rare = [name.split()[2] for name in names]
    swap = [(word, draw.randrange(1, len(word) - 2)) for word in draw.choices([*rare, *KINDS], k=3 * ROUNDS)]
    slips = [f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for word, at in swap if word[at] != word[at + 1]]
    return {
        "one word of every twentieth name": draw.choices(ADJECTIVES, k=ROUNDS),
        "two words": [f"{draw.choice(ADJECTIVES)} {draw.choice(KINDS)}" for _ in range(ROUNDS)],
        "a rare word": draw.choices(rare, k=ROUNDS),
        "the start of a rare word": [word[:4] for word in draw.choices(rare, k=ROUNDS)],
        "a SKU": [f"sku-{draw.randrange(SIZES[0]):06}" for _ in range(ROUNDS)],
        "a mistyped word": slips[:ROUNDS],
        "what is not there": ["".join(draw.choices("bcdfgjkqvwxz", k=9)) for _ in range(ROUNDS)],
        "two letters": [word[:2] for word in draw.choices(rare, k=ROUNDS)],
    }


def compare(shops: list[Shop]) -> None:
    asked = questions()
    times: dict[str, list[list[float]]] = {kind: [[], []] for kind in asked}
    totals: dict[str, list[list[int]]] = {kind: [[], []] for kind in asked}
    for number in range(ROUNDS):
        for kind, texts in asked.items():
            # A limit that nothing reaches makes it a question that nobody asked before.
            path = f"/api/products?search={quote(texts[number])}&max_price={1000 + number}"
            for which, shop in enumerate(shops):
                took, total = shop.ask(path)
                times[kind][which].append(took)
                totals[kind][which].append(total)
    print(f"| searched for | found | p50, {SIZES[0]:,} | p50, {SIZES[1]:,} | ratio | p95, {SIZES[1]:,} |")
    print("|---|---|---|---|---|---|")
    for kind, (small, large) in times.items():
        print(row(kind, " – ".join(f"{statistics.median(found):,.0f}" for found in totals[kind]), small, large))
    together = [[one for kind in times.values() for one in kind[which]] for which in (0, 1)]
    print(row("all of them", "", *together))


def main(urls: list[str]) -> None:
    with two_shops(SIZES, urls, lambda size: [__file__, "--fill", str(size)]) as shops:
        for shop in shops:
            shop.ask("/api/products?search=warm")
        compare(shops)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fill"]:
        fill(int(sys.argv[2]))
    else:
        main(sys.argv[1:])
