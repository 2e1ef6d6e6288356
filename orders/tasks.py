"""Jobs behind the requests."""

from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.models import Role, User
from bakery import clock
from bakery.jobs import job
from bakery.models import Shop
from orders.models import Notice, NoticeKind, StandingDate

SUBJECTS = {
    NoticeKind.RECEIVED: "We have your order {code}",
    NoticeKind.CONFIRMED: "Your order {code} is confirmed",
    NoticeKind.READY: "Your order {code} is ready",
    NoticeKind.CANCELLED: "Your order {code} is cancelled",
    NoticeKind.WAITED: "You need not wait any more: your order {code}",
}


@job()
def send_notice(notice_id: int) -> None:
    """Send one notice. No lock is held meanwhile: a slow mail server holds up no order."""
    notice = Notice.objects.select_related("order").filter(pk=notice_id).first()
    if notice is None or notice.sent_at is not None or not notice.order.customer_email:
        return
    order, shop = notice.order, Shop.get()
    text = render_to_string(
        f"orders/{notice.kind}.txt",
        {"order": order, "items": order.items.all(), "shop": shop, "due_at": clock.local(order.due_at)},
    )
    # The same id at a second attempt, so that a mail program shows it once should we have died in between.
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    message_id = f"<notice-{notice.pk}.{order.code}@{sender.rpartition('@')[2] or 'localhost'}>"
    EmailMessage(
        subject=SUBJECTS[NoticeKind(notice.kind)].format(code=order.code),
        body=text,
        to=[order.customer_email],
        reply_to=[shop.email] if shop.email else None,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    ).send()
    Notice.objects.filter(pk=notice.pk).update(sent_at=clock.now())


@job()
def tell_shortfall(standing_date_id: int) -> None:
    """Tell the shop, or else its managers, what a date of a standing order lacks."""
    found = StandingDate.objects.select_related("standing_order__customer", "order").filter(pk=standing_date_id).first()
    to = [Shop.get().email] if Shop.get().email else _managers()
    if found is None or not to:
        return
    EmailMessage(
        subject=f"{found.standing_order} of {found.standing_order.customer.display_name} is short on {found.date}",
        body=render_to_string("orders/shortfall.txt", {"found": found}),
        to=to,
        headers={"Auto-Submitted": "auto-generated"},
    ).send()


def _managers() -> list[str]:
    managers = User.objects.filter(role__in=(Role.MANAGER, Role.ADMIN), is_active=True).exclude(email="")
    return list(managers.values_list("email", flat=True)[:50])
