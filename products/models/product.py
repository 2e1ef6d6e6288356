"""Products: what is sold, at what price, on which days, and how much of it a day can bear."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from bakery.db import MoneyField, VersionedModel
from products.models.capacity import MOST_PIECES, CapacityGroup
from products.models.category import Category
from products.models.food import Allergen, Diet
from products.models.masks import from_mask, to_mask
from products.models.search import Search
from products.models.vat import VatClass

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
WEEKDAYS = [
    (1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"), (7, "Sunday"),
]  # fmt: skip
A_YEAR_OF_HOURS = 366 * 24
TEN_YEARS_OF_DAYS = 3660
A_TON_OF_GRAMS = 1_000_000
CATALOGUE = "catalogue"


class ProductQuerySet(models.QuerySet["Product"]):
    # What a search has found, in its order, and among which it looked. It is known to the very set that `about`
    # returns: neither to count it nor to take a page of it needs another search. Sets made of that one ask themselves.
    _keys: list[int] | None = None
    _among: "ProductQuerySet"

    def visible_to(self, user: Any) -> "ProductQuerySet":
        """Staff see every product, the public the active ones."""
        return self if user.is_authenticated and user.is_staff else self.filter(is_active=True)

    def available_on(self, day: date) -> "ProductQuerySet":
        """Active, in season, and sold on the weekday of `day`."""
        return self.filter(
            Q(available_from=None) | Q(available_from__lte=day),
            Q(available_until=None) | Q(available_until__gte=day),
            is_active=True,
        ).having_bit("weekday_mask", day.isoweekday() - 1)

    def without_thumbnails(self) -> "ProductQuerySet":
        """Those whose picture was uploaded by a release that made none."""
        return self.exclude(image="").filter(image_width=0)

    def having_bit(self, field: str, bit: int) -> "ProductQuerySet":
        return self.alias(**{f"{field}_bit": F(field).bitand(1 << bit)}).filter(**{f"{field}_bit__gt": 0})

    def for_diet(self, diet: str) -> "ProductQuerySet":
        return self.having_bit("diet_mask", Diet.values.index(diet))

    def about(self, text: str) -> "ProductQuerySet":
        """Those in whose name, SKU or description each word of `text` stands, the best hits first.

        Case and accents make no difference. Where there are none, those that are meant if a word is mistyped. All of
        them, in their order, where `text` is blank.
        """
        search = Search(text)
        if not search:
            return self
        asked = search.hits()
        keys = asked.keys(self)
        if not keys and (meant := search.meant_words()):
            asked = search.near_misses(meant)
            keys = asked.keys(self)
        found = asked.among(self)
        found._keys, found._among = keys, self
        return found

    def count(self) -> int:
        return super().count() if self._keys is None else len(self._keys)

    def __getitem__(self, wanted: Any) -> Any:
        if self._keys is None or not isinstance(wanted, slice) or wanted.step:
            return super().__getitem__(wanted)
        page = self.all()
        # Without the search, which they satisfy; who was hidden since is not shown.
        page.query.where = self._among.query.where.clone()
        return page.filter(pk__in=self._keys[wanted])

    def free_of(self, allergens: Iterable[str]) -> "ProductQuerySet":
        """Those that contain none of `allergens`; traces (may contain) do not count."""
        held = F("allergen_mask").bitand(to_mask(allergens, Allergen.values))
        return self.alias(held=held).filter(held=0)


class Product(VersionedModel):
    """Something the bakery sells."""

    sku = models.CharField("SKU", max_length=64, blank=True)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=230, unique=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    description = models.TextField(max_length=5000, blank=True)
    price = MoneyField(validators=[MinValueValidator(0)], help_text="VAT included.")
    vat_class = models.ForeignKey(VatClass, on_delete=models.PROTECT, related_name="products", verbose_name="VAT class")
    unit = models.CharField(max_length=32, blank=True, help_text="What one is: piece, slice, 100 g.")
    weight_g = models.PositiveIntegerField(
        "weight (g)", null=True, blank=True, validators=[MaxValueValidator(A_TON_OF_GRAMS)]
    )
    image = models.ImageField(upload_to="products", blank=True)
    image_width = models.PositiveIntegerField(
        default=0, editable=False, help_text="In pixels; 0 where there is no picture, or no thumbnails of it yet."
    )
    image_source = models.TextField(blank=True, help_text="The address that an import brought; never fetched.")
    allergen_mask = models.PositiveSmallIntegerField(default=0)
    may_contain_mask = models.PositiveSmallIntegerField(default=0)
    diet_mask = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True, db_index=True)
    is_baked = models.BooleanField(
        default=True, help_text="Off for what is sold but not baked: drinks, slicing, deals."
    )
    weekday_mask = models.PositiveSmallIntegerField(default=127)
    available_from = models.DateField(null=True, blank=True)
    available_until = models.DateField(null=True, blank=True)
    lead_time_hours = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(A_YEAR_OF_HOURS)])
    daily_capacity = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(MOST_PIECES)], help_text="Pieces a day; empty: no limit."
    )
    max_per_order = models.PositiveIntegerField(
        "maximum per order",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)],
        help_text="Pieces that one order may hold; empty: no limit. Sales at the till are not bound by it.",
    )
    capacity_group = models.ForeignKey(
        CapacityGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    capacity_units = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)],
        help_text="Units of the group that one piece takes.",
    )
    shelf_life_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(TEN_YEARS_OF_DAYS)]
    )
    batch_size = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)],
        help_text="Baked in whole batches of so many.",
    )

    objects = ProductQuerySet.as_manager()
    # Looked up by product and moment alone; other indexes were half of what it costs to write.
    history = HistoricalRecords(no_db_index=["slug", "category", "vat_class", "capacity_group", "is_active"])

    class Meta:
        ordering = ["name", "pk"]
        permissions = [("import_product", "Can import products"), ("export_product", "Can export products")]
        indexes = [
            models.Index(fields=["category", "name", "id"], name="product_by_category"),
            models.Index(fields=["name", "id"], name="product_by_name"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["sku"],
                condition=~Q(sku=""),
                name="product_sku_once",
                violation_error_message="There is already a product with this SKU.",
            ),
            models.UniqueConstraint(
                fields=["category", "name"],
                condition=Q(sku=""),
                name="product_name_once_per_category",
                violation_error_message="There is already a product of this name in its category; give one an SKU.",
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
            models.CheckConstraint(condition=Q(weekday_mask__range=(0, 127)), name="product_weekdays_known"),
            models.CheckConstraint(
                condition=Q(capacity_units__range=(1, MOST_PIECES)), name="product_capacity_units_positive"
            ),
            models.CheckConstraint(
                condition=Q(batch_size=None) | Q(batch_size__range=(1, MOST_PIECES)),
                name="product_batch_size_positive",
            ),
            models.CheckConstraint(
                condition=Q(daily_capacity=None) | Q(daily_capacity__lte=MOST_PIECES),
                name="product_daily_capacity_possible",
            ),
            models.CheckConstraint(
                condition=Q(max_per_order=None) | Q(max_per_order__range=(1, MOST_PIECES)),
                name="product_max_per_order_possible",
            ),
            models.CheckConstraint(condition=Q(lead_time_hours__lte=A_YEAR_OF_HOURS), name="product_lead_time_a_year"),
            models.CheckConstraint(
                condition=Q(shelf_life_days=None) | Q(shelf_life_days__lte=TEN_YEARS_OF_DAYS),
                name="product_shelf_life_ten_years",
            ),
            models.CheckConstraint(
                condition=Q(weight_g=None) | Q(weight_g__lte=A_TON_OF_GRAMS), name="product_weight_a_ton"
            ),
            models.CheckConstraint(
                condition=Q(available_from=None)
                | Q(available_until=None)
                | Q(available_until__gte=F("available_from")),
                name="product_season_ends_after_start",
                violation_error_message="The season must not end before it starts.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def weekdays(self) -> list[int]:
        return from_mask(self.weekday_mask, EVERY_DAY)

    @weekdays.setter
    def weekdays(self, days: Iterable[int]) -> None:
        self.weekday_mask = to_mask(days, EVERY_DAY)

    @property
    def allergens(self) -> list[str]:
        return from_mask(self.allergen_mask, Allergen.values)

    @allergens.setter
    def allergens(self, allergens: Iterable[str]) -> None:
        self.allergen_mask = to_mask(allergens, Allergen.values)

    @property
    def may_contain(self) -> list[str]:
        return from_mask(self.may_contain_mask, Allergen.values)

    @may_contain.setter
    def may_contain(self, allergens: Iterable[str]) -> None:
        self.may_contain_mask = to_mask(allergens, Allergen.values)

    @property
    def diets(self) -> list[str]:
        return from_mask(self.diet_mask, Diet.values)

    @diets.setter
    def diets(self, diets: Iterable[str]) -> None:
        self.diet_mask = to_mask(diets, Diet.values)

    @property
    def lead_time(self) -> timedelta:
        return timedelta(hours=self.lead_time_hours)

    def is_available_on(self, day: date) -> bool:
        """What `ProductQuerySet.available_on` asks, for one loaded product."""
        return (
            self.is_active
            and day.isoweekday() in self.weekdays
            and (self.available_from is None or self.available_from <= day)
            and (self.available_until is None or day <= self.available_until)
        )


class ProductTarget(models.Model):
    """How many the shop means to sell over the counter on a weekday, where no forecast says otherwise."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="targets")
    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    quantity = models.PositiveIntegerField(validators=[MaxValueValidator(MOST_PIECES)])

    history = HistoricalRecords()

    class Meta:
        ordering = ["product", "weekday"]
        constraints = [
            models.UniqueConstraint(fields=["product", "weekday"], name="product_target_once_per_weekday"),
            models.CheckConstraint(condition=Q(weekday__range=(1, 7)), name="product_target_weekday_iso"),
            models.CheckConstraint(condition=Q(quantity__lte=MOST_PIECES), name="product_target_possible"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} on {self.weekday}: {self.quantity}"
