"""The shapes of the catalogue, in and out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.validators import validate_slug
from rest_framework import serializers

from bakery import clock
from bakery.api import fields
from products import pictures
from products.importing import Change, Plan
from products.models import (
    EVERY_DAY,
    MOST_PIECES,
    Allergen,
    CapacityGroup,
    Category,
    Diet,
    Place,
    Product,
    VatClass,
    VatRate,
    from_mask,
)

MOST_PREVIEWED = 50

# What the JSON of a product is made of; `category__` columns come by the one join.
COLUMNS = (
    "id", "sku", "name", "slug", "category__slug", "category__name", "description", "image", "image_width",
    "image_source", "price", "vat_class_id", "vat_class__slug", "unit", "weight_g", "allergen_mask",
    "may_contain_mask", "diet_mask", "is_active", "is_baked", "weekday_mask", "available_from", "available_until",
    "lead_time_hours", "daily_capacity", "capacity_group__name", "capacity_units", "max_per_order", "shelf_life_days",
    "batch_size", "created_at", "updated_at", "version",
)  # fmt: skip


class ImageSizesSerializer(serializers.Serializer[Any]):
    """Addresses of the uploaded picture by width in pixels; of a width that it does not reach, its own address."""

    def get_fields(self) -> dict[str, Any]:
        return {str(width): serializers.CharField() for width in pictures.WIDTHS}


class ProductSerializer(fields.ModelSerializer):
    """What is sold."""

    # It reads a product from a body, and shows a row of `COLUMNS` with what its view knows: VAT rates, addresses.

    category = fields.SlugRelatedField(slug_field="slug", queryset=Category.objects.all())
    category_name = serializers.CharField(read_only=True)
    image = serializers.CharField(read_only=True, allow_null=True)
    image_sizes = ImageSizesSerializer(read_only=True, allow_null=True)
    price = fields.AmountField(min_value=Decimal(0))
    vat_class = fields.SlugRelatedField(slug_field="slug", queryset=VatClass.objects.all(), required=False)
    vat_rate = fields.AmountField(read_only=True)
    allergens = serializers.ListField(child=fields.ChoiceField(Allergen.choices), required=False, max_length=100)
    may_contain = serializers.ListField(child=fields.ChoiceField(Allergen.choices), required=False, max_length=100)
    diets = serializers.ListField(child=fields.ChoiceField(Diet.choices), required=False, max_length=100)
    weekdays = serializers.ListField(child=fields.CountField(min_value=1, max_value=7), required=False, max_length=100)

    capacity_group = fields.SlugRelatedField(
        slug_field="name", queryset=CapacityGroup.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Product
        fields = (
            "id", "sku", "name", "slug", "category", "category_name", "description", "image", "image_sizes", "price",
            "vat_class", "vat_rate", "unit", "weight_g", "allergens", "may_contain", "diets", "is_active", "is_baked",
            "weekdays", "available_from", "available_until", "lead_time_hours", "daily_capacity", "capacity_group",
            "capacity_units", "max_per_order", "shelf_life_days", "batch_size", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("id", "slug", "created_at", "updated_at")

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        view = self.context["view"]
        return _show(instance, view.rates, view.address_of)


def _show(row: Mapping[str, Any], rates: Mapping[int, Decimal], address_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the JSON of a product, in lists and alone: written out, since it is shown by the fifty."""
    picture = address_of(row["image"]) if row["image"] else None
    return {
        "id": row["id"],
        "sku": row["sku"],
        "name": row["name"],
        "slug": row["slug"],
        "category": row["category__slug"],
        "category_name": row["category__name"],
        "description": row["description"],
        "image": picture or row["image_source"] or None,
        "image_sizes": pictures.sizes(picture, row["image_width"]) if picture and row["image_width"] else None,
        "price": f"{row['price']:.2f}",
        "vat_class": row["vat_class__slug"],
        "vat_rate": f"{rates.get(row['vat_class_id'], 0):.2f}",
        "unit": row["unit"],
        "weight_g": row["weight_g"],
        "allergens": from_mask(row["allergen_mask"], Allergen.values),
        "may_contain": from_mask(row["may_contain_mask"], Allergen.values),
        "diets": from_mask(row["diet_mask"], Diet.values),
        "is_active": row["is_active"],
        "is_baked": row["is_baked"],
        "weekdays": from_mask(row["weekday_mask"], EVERY_DAY),
        "available_from": row["available_from"],
        "available_until": row["available_until"],
        "lead_time_hours": row["lead_time_hours"],
        "daily_capacity": row["daily_capacity"],
        "capacity_group": row["capacity_group__name"],
        "capacity_units": row["capacity_units"],
        "max_per_order": row["max_per_order"],
        "shelf_life_days": row["shelf_life_days"],
        "batch_size": row["batch_size"],
        "created_at": _instant(row["created_at"]),
        "updated_at": _instant(row["updated_at"]),
    }


def _instant(moment: datetime) -> str:
    return clock.local(moment).isoformat()


class CategorySerializer(fields.ModelSerializer):
    slug = fields.TextField(max_length=120, validators=[validate_slug], required=False, allow_blank=True)

    class Meta:
        model = Category
        fields = ("id", "name", "slug", "position")


class VatRateSerializer(fields.ModelSerializer):
    place = fields.ChoiceField(Place.choices)
    rate = fields.AmountField(min_value=Decimal(0), max_value=Decimal(100))

    class Meta:
        model = VatRate
        fields = ("place", "rate", "valid_from")


class VatClassSerializer(fields.ModelSerializer):
    slug = fields.TextField(max_length=50, validators=[validate_slug])
    rates = VatRateSerializer(many=True, read_only=True)

    class Meta:
        model = VatClass
        fields = ("slug", "name", "rates")


class TargetsSerializer(serializers.Serializer[Any]):
    """Pieces by ISO weekday; a weekday that is left out has no target."""

    def get_fields(self) -> dict[str, Any]:
        return {str(day): fields.CountField(required=False, min_value=0, max_value=MOST_PIECES) for day in EVERY_DAY}

    def to_internal_value(self, data: Any) -> dict[str, int]:
        # The keys are data here: a client that counts from 0 must not wipe the targets without a word.
        unknown = [key for key in data if key not in self.fields] if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "Weekdays are 1 (Monday) to 7."))
        targets: dict[str, int] = super().to_internal_value(data)
        return targets


class PlanPriceSerializer(serializers.Serializer[Any]):
    price = fields.AmountField(min_value=Decimal(0))
    valid_from = fields.DayField()


class PriceSpanSerializer(serializers.Serializer[Any]):
    """A price and from when until when it holds; one that was planned has the id and the day of its plan."""

    id = fields.IdField(allow_null=True)
    price = fields.AmountField()
    valid_from = fields.DayField(allow_null=True)
    since = fields.InstantField()
    until = fields.InstantField(allow_null=True)
    user = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(["past", "current", "to_come"])


class PictureSerializer(serializers.Serializer[Any]):
    file = serializers.FileField()


class ImportSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)  # the reader says what is wrong with an empty one
    dry_run = fields.FlagField(default=False)
    plan = fields.TextField(
        default="",
        allow_blank=True,
        max_length=64,
        help_text="What a dry run handed out: import only while the catalogue is as it was then.",
    )


class FieldChangeSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField()


class ImportChangeSerializer(serializers.Serializer[Any]):
    line = fields.CountField()
    action = serializers.CharField(help_text="created or updated")
    sku = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    differences = FieldChangeSerializer(many=True)


class ImportNoticeSerializer(serializers.Serializer[Any]):
    line = fields.CountField()
    code = serializers.CharField()
    message = serializers.CharField()


class ImportResultSerializer(serializers.Serializer[Any]):
    created = fields.CountField()
    updated = fields.CountField()
    unchanged = fields.CountField()
    skipped = fields.CountField()
    dry_run = fields.FlagField()
    plan = serializers.CharField(required=False, help_text="Of a dry run: names this plan.")
    changes = ImportChangeSerializer(many=True, required=False, help_text="Of a dry run: the first 50.")
    notices = ImportNoticeSerializer(many=True, required=False, help_text="Of a dry run: the first 50.")


def show_plan(plan: Plan) -> dict[str, Any]:
    """Return what a dry run answers: the counts, and the first of what would be done."""
    return {
        **plan.counts,
        "dry_run": True,
        "plan": plan.fingerprint,
        "changes": [_show_change(one) for one in islice(plan.changes(), MOST_PREVIEWED)],
        "notices": [
            {"line": one.line, "code": one.code, "message": one.message}
            for one in plan.file.products.notices[:MOST_PREVIEWED]
        ],
    }


def _show_change(change: Change) -> dict[str, Any]:
    differences = [{"field": name, "old": old, "new": new} for name, old, new in change.fields]
    return {
        "line": change.line,
        "action": change.action,
        "sku": change.sku,
        "name": change.name,
        "differences": differences,
    }
