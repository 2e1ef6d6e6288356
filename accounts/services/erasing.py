"""Forgetting who a customer was. The row stays, since what they bought refers to it."""

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django_tasks_db.models import DBTaskResult
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.errors import NotACustomer
from accounts.models import FailedSignIns, Role, User
from accounts.services.people import lock_account
from bakery.models import IdempotencyKey
from bakery.privacy import Person


def erase(person: Person) -> None:
    """Make the account nameless and close it for good, with its history, tokens and kept answers.

    Raises NotACustomer for staff, who are deactivated instead: their name stands under what they did.
    """
    if person.email:
        # A mail server says in its refusals whom it refused.
        DBTaskResult.objects.filter(traceback__icontains=person.email).update(traceback="")
    if person.user_id is None:
        return
    user = lock_account(person.user_id)
    if user.role != Role.CUSTOMER:
        raise NotACustomer("Only customers are erased. Staff are deactivated.")
    names = {"username": user.erased_name, "email": "", "first_name": "", "last_name": "", "phone": ""}
    for name, value in names.items():
        setattr(user, name, value)
    user.is_active = False
    user.set_unusable_password()
    user.save()
    user.history.update(**names, history_change_reason=None)
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)).update(
        object_repr=user.username, change_message=""
    )
    OutstandingToken.objects.filter(user_id=user.pk).delete()
    FailedSignIns.objects.filter(account=str(user.pk)).delete()
    IdempotencyKey.objects.filter(caller=f"user:{user.pk}").delete()
