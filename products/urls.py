from bakery.api.routers import Router
from products.views import CategoryViewSet, ProductViewSet, VatClassViewSet

router = Router()
router.register("products", ProductViewSet)
router.register("categories", CategoryViewSet)
router.register("vat-classes", VatClassViewSet)

urlpatterns = router.urls
