"""Why the cash book says no."""

from bakery.errors import Conflict


class SessionClosed(Conflict):
    """The session is closed for good, or there is none where the shop demands one."""

    code = "session_closed"
