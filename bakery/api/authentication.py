"""Who is calling: the owner of the bearer token."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bakery import tokens


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`. The user is loaded anew for each request, so that changes count at once."""

    def authenticate(self, request: Request) -> tuple[Any, tokens.Claims] | None:
        words = request.META.get("HTTP_AUTHORIZATION", "").split()
        if not words or words[0].lower() != "bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The Authorization header must be: Bearer, a blank, and the token.")
        try:
            claims = tokens.read(words[1], tokens.ACCESS)
            return tokens.owner(claims), claims
        except tokens.TokenNotValid as error:
            raise AuthenticationFailed(error.message) from error

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
