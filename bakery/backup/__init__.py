"""Backups that are proven before they get their name, and a restore that leaves the old shop or the new one, whole."""

from bakery.backup.archive import Refused, Unfinished
from bakery.backup.work import make, restore, verify

__all__ = ["Refused", "Unfinished", "make", "restore", "verify"]
