from accounts.views import DoorViewSet, MeViewSet, UserViewSet
from bakery.api.routers import Router

router = Router()
router.register("auth", DoorViewSet, basename="door")
router.register("auth", MeViewSet, basename="me")
router.register("users", UserViewSet, basename="user")

urlpatterns = router.urls
