from bakery.api.routers import Router
from chat.views import ChatViewSet

router = Router()
router.register("chat", ChatViewSet, basename="chat")

urlpatterns = router.urls
