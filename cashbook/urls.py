from bakery.api.routers import Router
from cashbook.views import CashEntryViewSet, CashSessionViewSet, RegisterViewSet

router = Router()
router.register("cash/sessions", CashSessionViewSet, basename="cash-session")
router.register("cash/registers", RegisterViewSet, basename="cash-register")
router.register("cash", CashEntryViewSet, basename="cash")

urlpatterns = router.urls
