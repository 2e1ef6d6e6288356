from bakery.api.routers import Router
from orders.views import AvailabilityViewSet, OrderViewSet, SaleViewSet, StandingOrderViewSet, WaitingListViewSet

router = Router()
router.register("orders", OrderViewSet, basename="order")
router.register("sales", SaleViewSet, basename="sale")
router.register("availability", AvailabilityViewSet, basename="availability")
router.register("standing-orders", StandingOrderViewSet, basename="standing-order")
router.register("waiting-list", WaitingListViewSet, basename="wish")

urlpatterns = router.urls
