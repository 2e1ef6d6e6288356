"""Jobs behind the catalogue."""

import structlog
from django.db import transaction

from bakery.jobs import job
from products import pictures, services
from products.importing import review
from products.models import GIVEN_UP_AFTER, Product
from products.services.history import keep_former_states

log = structlog.get_logger("products.pictures")

AT_A_TIME = 50


@job()
def forget_picture(name: str) -> None:
    """Delete what is left of a picture, unless a product names it."""
    if not Product.objects.filter(image=name).exists():
        pictures.delete(name)


@job()
def make_thumbnails(after: int = 0) -> None:
    """Give the pictures that have no thumbnails theirs, some at a time, from the product with the id `after` on."""
    rows = Product.objects.without_thumbnails().filter(pk__gt=after).order_by("pk").values_list("pk", "image")
    waiting = list(rows[:AT_A_TIME])
    for product_id, name in waiting:
        try:
            drawn = pictures.draw_thumbnails(name)
            pictures.store(drawn.files)
        except (OSError, SyntaxError, ValueError) as error:  # one that is gone or damaged keeps no other waiting
            log.warning("no thumbnails could be made", product=product_id, picture=name, exc_info=error)
        else:
            _note_width(product_id, drawn)
    if waiting:
        make_thumbnails.enqueue(waiting[-1][0])


@transaction.atomic
def _note_width(product_id: int, drawn: pictures.Drawn) -> None:
    services.touch_catalogue()
    for product in Product.objects.select_for_update().filter(pk=product_id, image=drawn.name):
        keep_former_states([product.pk])
        product.image_width = drawn.width
        product.save_version("image_width")
        return
    forget_picture.enqueue(drawn.name)  # replaced in the meantime


@job(keep_trying=GIVEN_UP_AFTER)
def advance_upload(import_id: int) -> None:
    """Plan a large upload, or carry it out: once, even where a worker is killed in between."""
    review.advance(import_id)
