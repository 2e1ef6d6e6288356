"""The router that every app registers on."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Paths are written without a slash at the end; with one they are tolerated."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
