"""What people and their tokens look like from outside."""

from typing import Any

from rest_framework import serializers

from accounts.models import User
from bakery.api.fields import ModelSerializer, TextField, VerbatimField


class PasswordField(VerbatimField):
    """A password, taken as it is: blanks at its ends belong to it."""

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(**{"max_length": 256, "trim_whitespace": False, "write_only": True, "style": style, **kwargs})


class OwnDetailsSerializer(ModelSerializer):
    """What people may change of themselves."""

    class Meta:
        model = User
        fields = ["username", "email", "first_name", "last_name", "phone"]


class MeSerializer(ModelSerializer):
    """The signed-in person, and what they may do."""

    permissions = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", *OwnDetailsSerializer.Meta.fields, "role", "permissions", "date_joined"]
        read_only_fields = ["role", "date_joined"]

    def get_permissions(self, user: User) -> list[str]:
        return sorted(user.get_all_permissions())


class RegistrationSerializer(ModelSerializer):
    """What a guest gives to become a customer."""

    password = PasswordField()

    class Meta:
        model = User
        fields = [*OwnDetailsSerializer.Meta.fields, "password"]
        extra_kwargs = {"email": {"required": True, "allow_blank": False}}


class UserSerializer(ModelSerializer):
    """Someone as those see them who look after the accounts."""

    password = PasswordField()

    class Meta:
        model = User
        fields = [
            "id",
            *OwnDetailsSerializer.Meta.fields,
            "password",
            "role",
            "is_active",
            "date_joined",
            "last_login",
        ]
        read_only_fields = ["date_joined", "last_login"]


class LoginSerializer(serializers.Serializer[Any]):
    username = TextField(max_length=254, help_text="The username or the e-mail address, in any case.")
    password = PasswordField()


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class SignedInSerializer(TokensSerializer):
    user = MeSerializer()


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = VerbatimField(help_text="A refresh token.")


class VerifySerializer(serializers.Serializer[Any]):
    token = VerbatimField(help_text="An access or a refresh token.")


class ChangePasswordSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class RequestResetSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class ResetPasswordSerializer(serializers.Serializer[Any]):
    uid = VerbatimField(max_length=64)
    token = VerbatimField(max_length=128)
    new_password = PasswordField()
