from accounts.models import User
from accounts.tests.factories import make_user
from chat import services
from chat.models import GENERAL, Message


def someone() -> User:
    """One baker for all of a test."""
    return User.objects.filter(role="baker").first() or make_user(role="baker", first_name="Ada", last_name="Brot")


def say(text: str = "The oven is hot.", channel: str = GENERAL, actor: User | None = None) -> Message:
    return services.post_message(channel=channel, text=text, actor=actor or someone())
