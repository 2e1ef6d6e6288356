from bakery.api.routers import Router
from production.views import BakingListViewSet

router = Router()
router.register("baking-list", BakingListViewSet)

urlpatterns = router.urls
