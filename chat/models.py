"""What the staff say to each other."""

from django.conf import settings
from django.db import models

GENERAL = "general"


class Channel(models.Model):
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """One message, kept as it was written; whoever shows it escapes it."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="messages")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

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
