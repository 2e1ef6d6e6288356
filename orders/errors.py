"""Why an order, a step or a payment is refused."""

from bakery.errors import Conflict


class TooLate(Conflict):
    """The time for it is over: the cut-off, a lead time, or the due time itself."""

    code = "too_late"


class ProductUnavailable(Conflict):
    """The product is not sold, or not on that day."""

    code = "product_unavailable"


class ShopClosed(Conflict):
    code = "shop_closed"


class CapacityExceeded(Conflict):
    """The day has not that many left."""

    code = "capacity_exceeded"


class MaximumExceeded(Conflict):
    """More of a product than one order may hold."""

    code = "maximum_exceeded"


class IllegalTransition(Conflict):
    """The life cycle has no such step from where the order is."""

    code = "illegal_transition"


class ExceedsBalance(Conflict):
    """More money than is owed, or, given back, than was paid."""

    code = "exceeds_balance"


class AlreadyGenerated(Conflict):
    """The date of a standing order, or a wish on the waiting list, has become an order."""

    code = "already_generated"


class NotSoldOut(Conflict):
    """Nobody need wait for it."""

    code = "not_sold_out"


# What a manager may go over with a reason.
OVERRIDABLE = tuple(rule.code for rule in (TooLate, ShopClosed, MaximumExceeded, CapacityExceeded))
