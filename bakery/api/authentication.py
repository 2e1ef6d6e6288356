"""Who is calling: a bearer token, whose every claim is checked before the database is asked."""

from typing import Any

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken


class BearerAuthentication(JWTAuthentication):
    """simplejwt's authentication, for which a claim of the wrong kind is a 401 as well."""

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            raise InvalidToken("The token is not valid.") from error

    def get_user(self, validated_token: Any) -> Any:
        claim = validated_token.get("user_id")
        if not (isinstance(claim, str | int) and str(claim).isascii() and str(claim).isdecimal()):
            raise InvalidToken("The token is not valid.")
        return super().get_user(validated_token)
