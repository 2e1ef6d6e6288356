"""Accounts over HTTP: coming in, oneself, and the people that the shop looks after."""

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from accounts import services
from accounts.filters import UserFilter
from accounts.models import User
from accounts.serializers import (
    ChangePasswordSerializer,
    LoginSerializer,
    MeSerializer,
    OwnDetailsSerializer,
    RefreshSerializer,
    RegistrationSerializer,
    RequestResetSerializer,
    ResetPasswordSerializer,
    SignedInSerializer,
    TokensSerializer,
    UserSerializer,
    VerifySerializer,
)
from bakery import tokens
from bakery.api.permissions import ANYONE, SIGNED_IN
from bakery.api.throttling import Limit
from bakery.api.viewsets import ApiViewSet

LOGINS = Limit("login", 30, timedelta(minutes=1))
REGISTRATIONS = Limit("register", 20, timedelta(hours=1))


class DoorViewSet(ApiViewSet[User]):
    """What people do who are not signed in (any more). A stale token in the header is no obstacle here."""

    authentication_classes = ()
    serializer_class = SignedInSerializer
    permissions = dict.fromkeys(
        ("register", "login", "refresh", "verify", "logout", "request_reset", "reset_password"), ANYONE
    )
    tells = {"register": ("Location",)}
    limits = {"login": LOGINS, "register": REGISTRATIONS}

    @extend_schema(request=RegistrationSerializer, responses={201: SignedInSerializer})
    @action(detail=False, methods=["post"])
    def register(self, request: Request) -> Response:
        user = services.register(**self.parse(RegistrationSerializer))
        return self._let_in(user, HTTP_201_CREATED, Location="/api/auth/me")

    @extend_schema(request=LoginSerializer, responses=SignedInSerializer)
    @action(detail=False, methods=["post"])
    def login(self, request: Request) -> Response:
        sent = self.parse(LoginSerializer)
        address = request.META.get("REMOTE_ADDR", "")
        user = services.sign_in(name=sent["username"], password=sent["password"], address=address)
        return self._let_in(user, HTTP_200_OK)

    def _let_in(self, user: User, code: int, **headers: str) -> Response:
        shown = SignedInSerializer(
            {**tokens.issue(user)._asdict(), "user": user}, context=self.get_serializer_context()
        )
        return Response(shown.data, status=code, headers=headers)

    @extend_schema(request=RefreshSerializer, responses=TokensSerializer)
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        fresh = services.refresh_session(token=self.parse(RefreshSerializer)["refresh"])
        return Response(TokensSerializer(fresh).data)

    @extend_schema(request=VerifySerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        services.verify_token(**self.parse(VerifySerializer))
        return Response({})

    @extend_schema(request=RefreshSerializer, responses={204: None})
    @action(detail=False, methods=["post"])
    def logout(self, request: Request) -> Response:
        services.sign_out(token=self.parse(RefreshSerializer)["refresh"])
        return Response(status=HTTP_204_NO_CONTENT)

    @extend_schema(request=RequestResetSerializer, responses={202: OpenApiTypes.OBJECT})
    @action(detail=False, methods=["post"], url_path="password-reset")
    def request_reset(self, request: Request) -> Response:
        services.request_password_reset(**self.parse(RequestResetSerializer))
        return Response({}, status=HTTP_202_ACCEPTED)

    @extend_schema(request=ResetPasswordSerializer, responses={204: None})
    @action(detail=False, methods=["post"], url_path="password-reset/confirm")
    def reset_password(self, request: Request) -> Response:
        sent = self.parse(ResetPasswordSerializer)
        services.reset_password(uid=sent["uid"], token=sent["token"], new=sent["new_password"])
        return Response(status=HTTP_204_NO_CONTENT)


class MeViewSet(ApiViewSet[User]):
    """The signed-in person."""

    queryset = User.objects.all()
    serializer_class = MeSerializer
    permissions = dict.fromkeys(("me", "change_me", "change_password"), SIGNED_IN)

    @extend_schema(responses=MeSerializer)
    @action(detail=False)
    def me(self, request: Request) -> Response:
        return self.show(self.actor)

    @extend_schema(request=OwnDetailsSerializer, responses=MeSerializer)
    @me.mapping.patch
    def change_me(self, request: Request) -> Response:
        return self.show(services.change_own_details(user=self.actor, **self.parse(OwnDetailsSerializer, partial=True)))

    @extend_schema(request=ChangePasswordSerializer, responses={204: None})
    @action(detail=False, methods=["post"], url_path="password")
    def change_password(self, request: Request) -> Response:
        sent = self.parse(ChangePasswordSerializer)
        services.change_password(
            user=self.actor,
            current=sent["current_password"],
            new=sent["new_password"],
            address=request.META.get("REMOTE_ADDR", ""),
        )
        return Response(status=HTTP_204_NO_CONTENT)


class UserViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[User]):
    queryset = User.objects.all()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    lookup_value_regex = "[0-9]+"
    orderings = {
        "username": "username",
        "email": "email",
        "last_name": "last_name",
        "role": "role",
        "date_joined": "date_joined",
    }
    permissions = {
        "list": "accounts.view_user",
        "retrieve": "accounts.view_user",
        "create": "accounts.add_user",
        "partial_update": "accounts.change_user",
    }
    tells = {"create": ("Location",)}

    @extend_schema(responses={201: UserSerializer})
    def create(self, request: Request) -> Response:
        user = services.create_user(**self.parse(UserSerializer), actor=self.actor)
        return self.show(user, code=HTTP_201_CREATED, Location=f"/api/users/{user.pk}")

    def partial_update(self, request: Request, pk: str) -> Response:
        wanted: dict[str, Any] = self.parse(UserSerializer, partial=True)
        return self.show(services.change_user(user_id=self.get_object().pk, **wanted, actor=self.actor))
