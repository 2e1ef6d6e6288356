"""Everything that writes in the chat."""

from django.db import transaction

from accounts.models import User
from bakery.errors import AlreadyExists
from chat.models import Channel, Message, ReadMark


@transaction.atomic
def post_message(*, channel: str, text: str, actor: User) -> Message:
    """Say something in a channel. Raises NotFound for an unknown one."""
    # One at a time in a channel, so that no message appears behind one that a reader has passed already.
    where = Channel.objects.select_for_update().named(channel)
    return Message.objects.create(channel=where, user=actor, text=text)


@transaction.atomic
def open_channel(*, slug: str, name: str, actor: User) -> Channel:
    """Make a channel for all of the staff; return it as the actor sees it. Raises AlreadyExists."""
    channel, is_new = Channel.objects.get_or_create(slug=slug, defaults={"name": name})
    if not is_new:
        raise AlreadyExists(f"There is already a channel {slug}.", field="channel")
    return Channel.objects.seen_by(actor).get(pk=channel.pk)


@transaction.atomic
def mark_read(*, channel: str, last: int, actor: User) -> Channel:
    """Note that `actor` has read a channel up to the message with the id `last`; a mark never moves back.

    Returns the channel as the actor sees it now. Raises NotFound for an unknown one.
    """
    where = Channel.objects.named(channel)
    newest = where.messages.order_by("-pk").values_list("pk", flat=True).first() or 0
    last = min(last, newest)  # what is yet to be written has not been read
    ReadMark.objects.bulk_create([ReadMark(channel=where, user=actor, last=0)], ignore_conflicts=True)
    ReadMark.objects.filter(channel=where, user=actor, last__lt=last).update(last=last)
    return Channel.objects.seen_by(actor).get(pk=where.pk)
