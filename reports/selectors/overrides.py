"""When somebody went over the rules of ordering, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from bakery import clock
from bakery.errors import DomainError
from orders.errors import OVERRIDABLE
from orders.models import Override

MOST_ROWS = 10_000


@dataclass
class OverrideRow:
    """One order that was placed or edited with a reason. `rules` are the codes of what it went over."""

    at: datetime
    user: str | None
    order: int
    code: str
    due_at: datetime
    action: str
    rules: list[str]
    reason: str


@dataclass
class OverrideReport:
    """`by_rule` counts the rows that went over each rule; a row may have gone over several, or over none."""

    first: date
    last: date
    rows: list[OverrideRow]
    by_rule: dict[str, int]

    @property
    def total(self) -> int:
        return len(self.rows)


def overrides(*, first: date, last: date) -> OverrideReport:
    """Return who went over the rules from `first` to `last`, by the shop's day of doing so, the oldest first.

    Raises DomainError where there are more than MOST_ROWS.
    """
    begin, end = clock.bounds(first, last)
    found = Override.objects.filter(event__at__gte=begin, event__at__lt=end).order_by("event__at", "pk")
    rows = [_row(override) for override in found.select_related("event__order", "event__user")[: MOST_ROWS + 1]]
    if len(rows) > MOST_ROWS:
        raise DomainError(f"That is more than {MOST_ROWS} rows; ask for fewer days.", field="from")
    counts = Counter(rule for row in rows for rule in row.rules)
    return OverrideReport(first, last, rows, {rule: counts[rule] for rule in OVERRIDABLE})


def _row(override: Override) -> OverrideRow:
    event = override.event
    return OverrideRow(
        at=event.at,
        user=event.user.username if event.user else None,
        order=event.order_id,
        code=event.order.code,
        due_at=event.order.due_at,
        action="edited" if event.came_from else "placed",
        rules=override.rules,
        reason=override.reason,
    )
