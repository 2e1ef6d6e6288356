"""What the staff say to each other."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from bakery.errors import NotFound

if TYPE_CHECKING:
    from accounts.models import User

GENERAL = "general"


class ChannelQuerySet(models.QuerySet["Channel"]):
    def named(self, slug: str) -> "Channel":
        """Return the channel, or raise NotFound."""
        channel = self.filter(slug=slug).first()
        if channel is None:
            raise NotFound("There is no such channel.")
        return channel

    def seen_by(self, user: "User") -> "ChannelQuerySet":
        """Add `last`, the id of the newest message, and `unread`, how many by others `user` has not read."""
        messages = Message.objects.filter(channel=OuterRef("pk")).order_by("-pk")
        mark = ReadMark.objects.filter(channel=OuterRef("channel"), user=user).values("last")
        unread = messages.exclude(user=user).filter(pk__gt=Coalesce(Subquery(mark), 0)).order_by()
        return self.annotate(
            last=Subquery(messages.values("pk")[:1]),
            unread=Coalesce(Subquery(unread.values("channel").annotate(n=Count("pk")).values("n")), 0),
        )


class Channel(models.Model):
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class MessageQuerySet(models.QuerySet["Message"]):
    def window(self, *, after: int | None, before: int | None, limit: int) -> "list[Message]":
        """Return up to `limit` messages, oldest first: with `after` the first ones after that id, else the newest."""
        found = self.select_related("channel", "user")
        if before is not None:
            found = found.filter(pk__lt=before)
        if after is not None:
            return list(found.filter(pk__gt=after).order_by("pk")[:limit])
        return list(found.order_by("-pk")[:limit])[::-1]


class Message(models.Model):
    """One message, kept as it was written; whoever shows it escapes it."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="messages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["channel", "id"], name="message_by_channel")]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="message_not_empty")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.text[:40]}"


class ReadMark(models.Model):
    """How far a person has read a channel."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    last = models.PositiveBigIntegerField(help_text="The id of the last message that was read.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "user"], name="read_mark_once_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.channel_id}: {self.last}"
