"""The catalogue over HTTP."""

from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from bakery import clock
from bakery.api import conditional
from bakery.api.caching import HotListMixin, remember, tag_of
from bakery.api.conditional import honours_if_match
from bakery.api.filters import refuse_unknown
from bakery.api.negotiation import AnyAccept
from bakery.api.parsers import MOST_FILE, FileParser, TooLarge
from bakery.api.permissions import ANYONE
from bakery.api.viewsets import ApiViewSet
from bakery.errors import NotFound
from bakery.queries import KeptQuery
from products import exporting, importing, pictures, selectors, services
from products.filters import CategoryListFilter, ProductFilter
from products.models import Category, Place, Product, VatClass
from products.serializers import (
    COLUMNS,
    CategorySerializer,
    ImportResultSerializer,
    ImportSerializer,
    PictureSerializer,
    PlanPriceSerializer,
    PriceSpanSerializer,
    ProductSerializer,
    TargetsSerializer,
    VatClassSerializer,
    VatRateSerializer,
    show_plan,
)


def _row_among(products: QuerySet[Product]) -> KeptQuery[dict[str, Any]]:
    return KeptQuery(lambda pk: products.filter(pk=pk).order_by().values(*COLUMNS))


_ROW_FOR_STAFF = _row_among(Product.objects.all())
_ROW_FOR_THE_PUBLIC = _row_among(Product.objects.visible_to(AnonymousUser()))


# What the tags of products and categories depend on beside their versions.
class CatalogueViewSet(HotListMixin, ApiViewSet[Any]):
    @cached_property
    def today(self) -> date:
        return clock.today()

    @property
    def asks_as_staff(self) -> bool:
        return bool(self.request.user.is_authenticated and self.request.user.is_staff)

    @property
    def variant(self) -> tuple[Any, ...]:
        return self.today, self.asks_as_staff, settings.MEDIA_URL

    def list_tag(self, request: Request) -> tuple[int, Any]:
        self.revision = services.revision_on(self.today)
        return self.revision, self.variant

    def answer(self, found: Any, version: int, *, code: int = 200, **headers: str) -> Response:
        """Show one object, or say that the caller has it. `self.revision` was read before the object."""
        host = self.request.build_absolute_uri("/")
        etag = tag_of(version, self.revision, host, self.variant)
        if self.request.method in ("GET", "HEAD") and conditional.is_known(self.request, etag):
            return conditional.not_modified(etag)
        return Response(self.get_serializer(found).data, status=code, headers={"ETag": etag, **headers})


class ProductViewSet(CatalogueViewSet):
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    filterset_class = ProductFilter
    columns = COLUMNS
    orderings = {"name": "name", "price": "price", "category": "category__name", "created_at": "created_at"}
    lookup_value_regex = "[0-9]{1,18}"
    permissions = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "create": "products.add_product",
        "update": "products.change_product",
        "partial_update": "products.change_product",
        "destroy": "products.delete_product",
        "targets": "products.view_product",
        "set_targets": "products.change_product",
        "prices": "products.view_pricechange",
        "plan_price": "products.add_pricechange",
        "withdraw_price": "products.delete_pricechange",
        "image": "products.change_product",
        "remove_image": "products.change_product",
        "import_file": "products.import_product",
        "export": "products.export_product",
    }
    tells = {
        **dict.fromkeys(("list", "retrieve", "update", "partial_update", "image"), ("ETag",)),
        "create": ("ETag", "Location"),
    }

    def get_queryset(self) -> QuerySet[Product]:
        return Product.objects.visible_to(self.request.user)

    @cached_property
    def rates(self) -> dict[int, Decimal]:
        """Today's take-away rate of each VAT class, by its id."""
        tag = tag_of(self.revision, "rates", self.today)
        return remember(tag, lambda: selectors.rates_on(self.today, Place.TAKEAWAY))

    def address_of(self, picture: str) -> str:
        return self.request.build_absolute_uri(default_storage.url(picture))

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._show(int(pk))

    @extend_schema(responses={201: ProductSerializer})
    def create(self, request: Request) -> Response:
        product = services.create_product(**self.parse(ProductSerializer))
        return self._show(product.pk, code=HTTP_201_CREATED, Location=f"/api/products/{product.pk}")

    @honours_if_match
    def update(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        product_id = self._existing(pk)
        changes = self.parse(ProductSerializer, partial=partial)
        services.update_product(product_id=product_id, expected=self.expected_versions(), **changes)
        return self._show(product_id)

    @honours_if_match
    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    @honours_if_match
    def destroy(self, request: Request, pk: str) -> Response:
        services.remove_product(product_id=int(pk), expected=self.expected_versions())
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(responses=TargetsSerializer, filters=False)
    @action(detail=True, pagination_class=None)
    def targets(self, request: Request, pk: str) -> Response:
        return self._show_targets(selectors.targets_of(self._existing(pk)))

    @extend_schema(request=TargetsSerializer, responses=TargetsSerializer)
    @targets.mapping.put
    def set_targets(self, request: Request, pk: str) -> Response:
        product_id = self._existing(pk)
        wanted = {int(day): quantity for day, quantity in self.parse(TargetsSerializer).items()}
        return self._show_targets(services.set_targets(product_id=product_id, targets=wanted))

    @extend_schema(responses=PriceSpanSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def prices(self, request: Request, pk: str) -> Response:
        return Response(PriceSpanSerializer(self._prices(pk), many=True).data)

    @extend_schema(request=PlanPriceSerializer, responses={201: PriceSpanSerializer})
    @prices.mapping.post
    @honours_if_match
    def plan_price(self, request: Request, pk: str) -> Response:
        wanted = self.parse(PlanPriceSerializer)
        plan = services.plan_price(
            product_id=self._existing(pk), actor=self.actor, expected=self.expected_versions(), **wanted
        )
        planned = next(span for span in self._prices(pk) if span.id == plan.pk)
        return Response(PriceSpanSerializer(planned).data, status=HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="prices/(?P<price_id>[0-9]{1,18})")
    def withdraw_price(self, request: Request, pk: str, price_id: str) -> Response:
        services.withdraw_price(product_id=int(pk), change_id=int(price_id))
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(request={"multipart/form-data": PictureSerializer}, responses=ProductSerializer)
    @action(detail=True, methods=["put"], parser_classes=[FileParser])
    @honours_if_match
    def image(self, request: Request, pk: str) -> Response:
        product_id = self._existing(pk)
        upload = self.parse(PictureSerializer)["file"]
        if upload.size > pictures.MOST_BYTES:
            raise TooLarge(pictures.MOST_BYTES)
        services.set_image(product_id=product_id, upload=upload, expected=self.expected_versions())
        return self._show(product_id)

    @extend_schema(responses={204: None})
    @image.mapping.delete
    @honours_if_match
    def remove_image(self, request: Request, pk: str) -> Response:
        services.remove_image(product_id=int(pk), expected=self.expected_versions())
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(request={"multipart/form-data": ImportSerializer}, responses=ImportResultSerializer)
    @action(detail=False, methods=["post"], url_path="import", url_name="import", parser_classes=[FileParser])
    def import_file(self, request: Request) -> Response:
        wanted = self.parse(ImportSerializer)
        if wanted["file"].size > MOST_FILE:
            raise TooLarge(MOST_FILE)
        file = importing.read_file(wanted["file"], filename=wanted["file"].name)
        if wanted["dry_run"]:
            return Response(show_plan(importing.plan_import(file)))
        done = importing.import_products(file, user=self.actor, reviewed=wanted["plan"])
        return Response({**done.counts, "dry_run": False})

    @extend_schema(
        filters=False,
        parameters=[OpenApiParameter("as", enum=list(exporting.FORMS), default="csv")],
        responses={(200, form.partition(";")[0]): OpenApiTypes.BINARY for form in exporting.FORMS.values()},
    )
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyAccept)
    def export(self, request: Request) -> FileResponse:
        refuse_unknown(request, frozenset({"as"}))
        form = request.query_params.get("as", "csv")
        if form not in exporting.FORMS:
            raise ValidationError({"as": f"Must be one of {', '.join(exporting.FORMS)}."}, code="invalid_choice")
        return FileResponse(
            exporting.export_products(Product.objects.all(), form),
            as_attachment=True,
            filename=f"products-{self.today}.{form}",
            content_type=exporting.FORMS[form],
        )

    def _prices(self, pk: str) -> list[selectors.PriceSpan]:
        services.revision_on(self.today)
        for product in Product.objects.filter(pk=int(pk)):
            return selectors.prices_of(product)
        raise NotFound("There is no such product.")

    def _existing(self, pk: str) -> int:
        if not Product.objects.filter(pk=int(pk)).exists():
            raise NotFound("There is no such product.")
        return int(pk)

    def _show(self, product_id: int, **how: Any) -> Response:
        self.revision = services.revision_on(self.today)
        row_of = _ROW_FOR_STAFF if self.asks_as_staff else _ROW_FOR_THE_PUBLIC
        for row in row_of(pk=product_id):
            return self.answer(row, row["version"], **how)
        raise NotFound("There is no such product.")

    def _show_targets(self, targets: dict[int, int]) -> Response:
        return Response(TargetsSerializer({str(day): quantity for day, quantity in targets.items()}).data)


class CategoryViewSet(CatalogueViewSet):
    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    filterset_class = CategoryListFilter
    orderings = {"name": "name", "position": "position"}
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    permissions = {
        "list": ANYONE,
        "retrieve": ANYONE,
        "create": "products.add_category",
        "update": "products.change_category",
        "partial_update": "products.change_category",
        "destroy": "products.delete_category",
    }
    tells = {
        **dict.fromkeys(("list", "retrieve", "update", "partial_update"), ("ETag",)),
        "create": ("ETag", "Location"),
    }

    def retrieve(self, request: Request, slug: str) -> Response:
        return self._show(slug)

    @extend_schema(responses={201: CategorySerializer})
    def create(self, request: Request) -> Response:
        category = services.create_category(**self.parse(CategorySerializer))
        return self._show(category.slug, code=HTTP_201_CREATED, Location=f"/api/categories/{category.slug}")

    @honours_if_match
    def update(self, request: Request, slug: str, *, partial: bool = False) -> Response:
        category_id = self._existing(slug).pk
        changes = self.parse(CategorySerializer, partial=partial)
        category = services.update_category(category_id=category_id, expected=self.expected_versions(), **changes)
        return self._show(category.slug)

    @honours_if_match
    def partial_update(self, request: Request, slug: str) -> Response:
        return self.update(request, slug, partial=True)

    @honours_if_match
    def destroy(self, request: Request, slug: str) -> Response:
        services.remove_category(category_id=self._existing(slug).pk, expected=self.expected_versions())
        return Response(status=HTTP_204_NO_CONTENT)

    def _existing(self, slug: str) -> Category:
        for category in Category.objects.filter(slug=slug):
            return category
        raise NotFound("There is no such category.")

    def _show(self, slug: str, **how: Any) -> Response:
        self.revision = services.revision_on(self.today)
        category = self._existing(slug)
        return self.answer(category, category.version, **how)


class VatClassViewSet(ListModelMixin, ApiViewSet[VatClass]):
    queryset = VatClass.objects.prefetch_related("rates")
    serializer_class = VatClassSerializer
    orderings = {"slug": "slug", "name": "name"}
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    permissions = {
        "list": "products.view_vatclass",
        "create": "products.add_vatclass",
        "add_rate": "products.add_vatrate",
    }

    @extend_schema(responses={201: VatClassSerializer})
    def create(self, request: Request) -> Response:
        return self.show(services.create_vat_class(**self.parse(VatClassSerializer)), code=HTTP_201_CREATED)

    @extend_schema(request=VatRateSerializer, responses={201: VatRateSerializer})
    @action(detail=True, methods=["post"], url_path="rates")
    def add_rate(self, request: Request, slug: str) -> Response:
        vat_class = VatClass.objects.filter(slug=slug).first()
        if vat_class is None:
            raise NotFound("There is no such VAT class.")
        rate = services.add_vat_rate(vat_class=vat_class, **self.parse(VatRateSerializer))
        return Response(VatRateSerializer(rate).data, status=HTTP_201_CREATED)
