"""The shapes of messages and channels."""

from typing import Any

from django.core.validators import validate_slug
from rest_framework import serializers

from accounts.models import User
from bakery.api.fields import MOST_ID, CountField, ModelSerializer, TextField, VerbatimField
from chat.models import GENERAL, Channel, Message


class AuthorSerializer(ModelSerializer):
    name = serializers.CharField(source="display_name", read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "name"]


class MessageSerializer(ModelSerializer):
    channel = serializers.CharField(source="channel.slug")
    user = AuthorSerializer()
    message = serializers.CharField(source="text")

    class Meta:
        model = Message
        fields = ["id", "channel", "user", "message", "created_at"]


class PostSerializer(serializers.Serializer[Any]):
    channel = TextField(default=GENERAL)
    message = VerbatimField(source="text", max_length=4000)


class WindowSerializer(serializers.Serializer[Any]):
    """The query of the list."""

    channel = TextField(default=GENERAL)
    after = CountField(min_value=0, max_value=MOST_ID, default=None)
    before = CountField(min_value=0, max_value=MOST_ID, default=None)
    limit = CountField(min_value=1, max_value=200, default=50)


class ChannelSerializer(ModelSerializer):
    channel = serializers.CharField(source="slug")
    unread = serializers.IntegerField()
    last = serializers.IntegerField(allow_null=True)

    class Meta:
        model = Channel
        fields = ["channel", "name", "unread", "last"]


class OpenChannelSerializer(serializers.Serializer[Any]):
    channel = TextField(source="slug", max_length=50, validators=[validate_slug])
    name = TextField(max_length=100)


class ReadSerializer(serializers.Serializer[Any]):
    channel = TextField(default=GENERAL)
    last = CountField(min_value=0, max_value=MOST_ID)
