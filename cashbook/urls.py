from bakery.api.routers import Router
from cashbook.views import CashEntryViewSet, CashSessionViewSet, MonthlyClosingViewSet, RegisterViewSet

router = Router()
router.register("cash/sessions", CashSessionViewSet, basename="cash-session")
router.register("cash/closings", MonthlyClosingViewSet, basename="cash-closing")
router.register("cash/registers", RegisterViewSet, basename="cash-register")
router.register("cash", CashEntryViewSet, basename="cash")

urlpatterns = router.urls
