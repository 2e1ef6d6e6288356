"""What is read of the catalogue by more than one door."""

from datetime import date
from decimal import Decimal

from django.core.files.storage import default_storage

from bakery.models import Revision
from products import pictures
from products.models import CATALOGUE, STANDARD, Category, Place, Product, ProductTarget, VatClass, VatRate, same_name

NOTHING = Decimal("0.00")


def revision() -> int:
    """Return the revision of the catalogue. Read it before what it is to tag."""
    return Revision.objects.current(CATALOGUE)


def rates_on(day: date, place: Place | str) -> dict[int, Decimal]:
    """Return the rate of each VAT class, by its id, that holds on `day` at `place`; 0.00 where there is none."""
    classes = VatClass.objects.order_by("pk").values_list("pk", flat=True)
    so_far = VatRate.objects.filter(place=place, valid_from__lte=day).order_by("valid_from")
    # The later of two stands last, and counts.
    return {**dict.fromkeys(classes, NOTHING), **dict(so_far.values_list("vat_class", "rate"))}


def targets_of(product_id: int) -> dict[int, int]:
    """Return how many of a product the shop means to sell over the counter, by ISO weekday."""
    return dict(ProductTarget.objects.filter(product=product_id).values_list("weekday", "quantity"))


def checks() -> list[str]:
    """Return a line for each thing in the catalogue that is not as the rules want it."""
    return [*_names_twice(), *_missing_pictures(), *_missing_class()]


def _names_twice() -> list[str]:
    seen: dict[str, str] = {}
    drifts = []
    for name in Category.objects.values_list("name", flat=True):
        first = seen.setdefault(same_name(name), name)
        if first != name:
            drifts.append(f"The categories {first} and {name} have the same name.")
    return drifts


def _missing_pictures() -> list[str]:
    there = pictures.stored()
    return [
        f"The picture {file} of {name} is not there."
        for name, image, width in Product.objects.exclude(image="").values_list("name", "image", "image_width")
        for file in sorted({image, *(pictures.sizes(image, width).values() if width else ())})
        if file not in there and not default_storage.exists(file)
    ]


def _missing_class() -> list[str]:
    there = VatClass.objects.filter(slug=STANDARD).exists()
    return [] if there else [f"There is no VAT class {STANDARD}, which new products take."]
