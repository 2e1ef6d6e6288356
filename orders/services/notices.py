"""E-mails that customers are owed."""

from orders import tasks
from orders.models import Notice, Order


def owe(order: Order, kind: str) -> None:
    """Note, in the transaction of its cause, that the customer is to be told, where we know an e-mail address."""
    if order.customer_email:
        notice = Notice.objects.create(order=order, kind=kind)
        tasks.send_notice.enqueue(notice.pk)
