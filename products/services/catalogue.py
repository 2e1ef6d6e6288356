"""Products, their targets and pictures, categories, VAT classes."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import IO, Any

from django.db import transaction
from django.db.models import ProtectedError

from bakery import clock, texts
from bakery.errors import AlreadyExists, DomainError, InUse, NotFound
from products import pictures, tasks
from products.models import (
    STANDARD,
    Category,
    Place,
    Product,
    ProductTarget,
    VatClass,
    VatRate,
)
from products.services.history import keep_former_states
from products.services.revision import touch_catalogue
from products.slugs import free_slug

TEXTS = frozenset({"sku", "name", "unit", "description", "image_source"})
AN_HOUR = timedelta(hours=1)


def standard_class() -> VatClass:
    """Return the VAT class of products that name none; it is made where it is not there."""
    return VatClass.objects.get_or_create(slug=STANDARD, defaults={"name": "Standard"})[0]


# Products


@transaction.atomic
def create_product(*, vat_class: VatClass | None = None, **fields: Any) -> Product:
    """Make a product of `fields`, named as in the model; the VAT class is `standard` unless given.

    Raises DomainError for a season that ends before it starts and for a control character in a text; a sku, or a
    name without a sku in its category, that is there already violates a unique constraint.
    """
    touch_catalogue()
    product = Product(vat_class=vat_class or standard_class(), **_tidied(fields))
    _require_sound_season(product)
    product.slug = free_slug(Product, product.name)
    product.save()
    return product


@transaction.atomic
def update_product(*, product_id: int, expected: frozenset[int] | None = None, **fields: Any) -> Product:
    """Change the named `fields` of a product; its slug stays. Raises Stale, NotFound, and as `create_product`."""
    touch_catalogue()
    product = locked_product(product_id)
    product.require_version(expected)
    for name, value in _tidied(fields).items():
        setattr(product, name, value)
    _require_sound_season(product)
    product.save_version()
    return product


@transaction.atomic
def remove_product(*, product_id: int, expected: frozenset[int] | None = None) -> None:
    """Delete a product that nothing refers to, and retire one with history. Raises Stale, NotFound."""
    touch_catalogue()
    product = locked_product(product_id)
    product.require_version(expected)
    try:
        product.delete()
    except ProtectedError:
        product.is_active = False
        product.save_version("is_active")
    else:
        _forget_picture(product.image.name)


def locked_product(product_id: int) -> Product:
    """Return the product with its row locked and its state in the history, about to change. Raises NotFound.

    The caller holds the catalogue.
    """
    for product in Product.objects.select_for_update().filter(pk=product_id):
        keep_former_states([product_id])
        return product
    raise NotFound("There is no such product.")


def _tidied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Hold the texts in `fields` to the same rule through every door."""
    return {name: _tidy(name, value) if name in TEXTS else value for name, value in fields.items()}


def _tidy(name: str, value: str) -> str:
    try:
        return texts.tidy(value, lines=name == "description")
    except ValueError as error:
        raise DomainError(str(error), field=name, code="control_character") from error


def _require_sound_season(product: Product) -> None:
    first, last = product.available_from, product.available_until
    if first and last and last < first:
        raise DomainError("The season must not end before it starts.", field="available_until")


@transaction.atomic
def set_targets(*, product_id: int, targets: Mapping[int, int]) -> dict[int, int]:
    """Replace a product's targets, pieces by ISO weekday; a weekday that is left out has none. Raises NotFound."""
    touch_catalogue()
    product = locked_product(product_id)
    kept = {target.weekday: target for target in product.targets.all()}
    for weekday, target in kept.items():
        if weekday not in targets:
            target.delete()
    for weekday, quantity in targets.items():
        target = kept.get(weekday) or ProductTarget(product=product, weekday=weekday)
        if target.quantity != quantity:
            target.quantity = quantity
            target.save()
    return dict(sorted(targets.items()))


# Pictures


def set_image(*, product_id: int, upload: IO[bytes], expected: frozenset[int] | None = None) -> Product:
    """Give a product the picture in `upload`, in place of the one it has.

    Raises BadPicture, and what `give_image` raises.
    """
    return give_image(product_id=product_id, drawn=pictures.draw(upload), expected=expected)


def give_image(*, product_id: int, drawn: pictures.Drawn, expected: frozenset[int] | None = None) -> Product:
    """Give a product a picture that was drawn. Raises NotFound, Stale, and Unavailable where it cannot be stored.

    Call it outside of any transaction: one that is taken back takes the job below with it, and not the files.
    """
    tasks.forget_picture.using(run_after=clock.now() + AN_HOUR).enqueue(drawn.name)  # should this process be killed
    try:
        pictures.store(drawn.files)
        return _put_image(product_id, drawn.name, drawn.width, expected)
    except BaseException:
        with suppress(Exception):  # the job will
            pictures.delete(drawn.name)
        raise


def remove_image(*, product_id: int, expected: frozenset[int] | None = None) -> Product:
    """Take a product's picture away, if it has one. Raises NotFound, Stale."""
    return _put_image(product_id, "", 0, expected)


@transaction.atomic
def _put_image(product_id: int, name: str, width: int, expected: frozenset[int] | None) -> Product:
    touch_catalogue()
    product = locked_product(product_id)
    product.require_version(expected)
    former = product.image.name
    if former != name:
        product.image.name, product.image_width = name, width
        product.save_version("image", "image_width")
        _forget_picture(former)
    return product


def _forget_picture(name: str | None) -> None:
    """Delete a picture's files once the change is sure; later, where that fails."""
    if name:
        tasks.forget_picture.using(run_after=clock.now() + AN_HOUR).enqueue(name)
        transaction.on_commit(lambda: pictures.delete(name), robust=True)


# Categories


@transaction.atomic
def create_category(*, name: str, slug: str = "", position: int = 0) -> Category:
    """Make a category; its slug is made of the name unless given. Raises AlreadyExists for a name in any case."""
    touch_catalogue()
    category = Category(name=_tidy("name", name), position=position)
    _require_new_name(category)
    category.slug = slug or free_slug(Category, category.name)
    category.save()
    return category


@transaction.atomic
def update_category(*, category_id: int, expected: frozenset[int] | None = None, **fields: Any) -> Category:
    """Change `name`, `slug` or `position`. Raises Stale, NotFound, AlreadyExists."""
    touch_catalogue()
    category = _locked_category(category_id)
    category.require_version(expected)
    category.name = _tidy("name", fields["name"]) if "name" in fields else category.name
    category.slug = fields.get("slug") or category.slug
    category.position = fields.get("position", category.position)
    _require_new_name(category)
    category.save_version()
    return category


@transaction.atomic
def remove_category(*, category_id: int, expected: frozenset[int] | None = None) -> None:
    """Delete an empty category. Raises InUse for one with products, Stale, NotFound."""
    touch_catalogue()
    category = _locked_category(category_id)
    category.require_version(expected)
    names = list(category.products.values_list("name", flat=True)[:3])
    if names:
        raise InUse(f"It still has products ({', '.join(names)} …). Move them to another category first.")
    category.delete()


def _locked_category(category_id: int) -> Category:
    for category in Category.objects.select_for_update().filter(pk=category_id):
        return category
    raise NotFound("There is no such category.")


def _require_new_name(category: Category) -> None:
    if Category.objects.filter(name_key=category.name_key).exclude(pk=category.pk).exists():
        raise AlreadyExists("There is already a category with this name.", field="name")


# VAT


@transaction.atomic
def create_vat_class(*, slug: str, name: str) -> VatClass:
    """Make a VAT class; it has no rate, which counts as 0.00, until one is added.

    Raises DomainError for a control character in the name.
    """
    touch_catalogue()
    return VatClass.objects.create(slug=slug, name=_tidy("name", name))


@transaction.atomic
def add_vat_rate(*, vat_class: VatClass, place: Place, rate: Decimal, valid_from: date) -> VatRate:
    """Let `rate` per cent hold for a class at a place of consumption from the day `valid_from` on."""
    touch_catalogue()
    return VatRate.objects.create(vat_class=vat_class, place=place, rate=rate, valid_from=valid_from)
