from bakery.api.routers import Router
from reports.views import ReportViewSet

router = Router()
router.register("reports", ReportViewSet, basename="report")

urlpatterns = router.urls
