"""The product's settings, with time for a busy machine: who waits for the database or the mail server goes on waiting.

The product's own limits would turn a moment in which the machine stands still into a refusal.
"""

from bakery.settings import *  # noqa: F403
from bakery.settings import DATABASES
from tests.waiting import PATIENCE

EMAIL_TIMEOUT = PATIENCE
_options = DATABASES["default"]["OPTIONS"]
if "pool" in _options:
    _options["pool"]["timeout"] = _options["connect_timeout"] = PATIENCE
else:
    _options["timeout"] = PATIENCE
