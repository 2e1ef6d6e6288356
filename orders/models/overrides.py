"""Who went over the rules, and why."""

from django.db import models

from orders.models.orders import OrderEvent


class Override(models.Model):
    """That a manager placed or edited an order past rules that would have refused it."""

    event = models.OneToOneField(OrderEvent, on_delete=models.CASCADE, related_name="override")
    reason = models.CharField(max_length=500)
    rules = models.JSONField(
        default=list, help_text="The codes of the refusals that were gone over; none where nothing stood in the way."
    )

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.told}: {self.reason}"

    @property
    def told(self) -> str:
        """The rules in words."""
        return ", ".join(rule.replace("_", " ") for rule in self.rules) or "nothing stood in the way"
