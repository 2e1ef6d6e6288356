"""The chat over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from bakery.api.filters import refuse_empty, refuse_unknown
from bakery.api.viewsets import ApiViewSet
from chat import services
from chat.models import Channel, Message
from chat.serializers import (
    ChannelSerializer,
    MessageSerializer,
    OpenChannelSerializer,
    PostSerializer,
    ReadSerializer,
    WindowSerializer,
)

MOST_CHANNELS = 200


class ChatViewSet(ApiViewSet[Message]):
    queryset = Message.objects.all()
    serializer_class = MessageSerializer
    filter_backends = []
    pagination_class = None
    permissions = {
        "list": "chat.view_message",
        "create": "chat.add_message",
        "channels": "chat.view_message",
        "open_channel": "chat.add_channel",
        "read": "chat.view_message",
    }

    @extend_schema(parameters=[WindowSerializer], responses=MessageSerializer(many=True))
    def list(self, request: Request) -> Response:
        refuse_unknown(request, frozenset(WindowSerializer().fields))
        refuse_empty(request)
        query = WindowSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        channel = Channel.objects.named(wanted.pop("channel"))
        return Response(MessageSerializer(channel.messages.window(**wanted), many=True).data)

    @extend_schema(request=PostSerializer, responses={201: MessageSerializer})
    def create(self, request: Request) -> Response:
        return self.show(services.post_message(**self.parse(PostSerializer), actor=self.actor), code=HTTP_201_CREATED)

    @extend_schema(responses=ChannelSerializer(many=True))
    @action(detail=False)
    def channels(self, request: Request) -> Response:
        refuse_unknown(request, frozenset())
        channels = Channel.objects.seen_by(self.actor)[:MOST_CHANNELS]
        return Response(ChannelSerializer(channels, many=True).data)

    @extend_schema(request=OpenChannelSerializer, responses={201: ChannelSerializer})
    @channels.mapping.post
    def open_channel(self, request: Request) -> Response:
        channel = services.open_channel(**self.parse(OpenChannelSerializer), actor=self.actor)
        return Response(ChannelSerializer(channel).data, status=HTTP_201_CREATED)

    @extend_schema(request=ReadSerializer, responses=ChannelSerializer)
    @action(detail=False, methods=["post"])
    def read(self, request: Request) -> Response:
        channel = services.mark_read(**self.parse(ReadSerializer), actor=self.actor)
        return Response(ChannelSerializer(channel).data)
