"""Mails to people about their accounts."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User
from bakery.jobs import job
from bakery.models import Shop


@job(keep_trying=timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT))
def mail_password_reset(user_id: int) -> None:
    """Send the codes that set a new password; nothing where there is no such user (any more)."""
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None:
        return
    shop = Shop.get()
    body = render_to_string(
        "accounts/password_reset.txt",
        {
            "user": user,
            "shop": shop,
            "uid": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        },
    )
    send_mail(f"Your new password for {shop.name}", body, None, [user.email])
