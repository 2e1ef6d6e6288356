"""Logs: one JSON object a line, with the request's id; plain lines for people under DEBUG. Never local variables."""

import logging.config
import re
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


_SECRET_IN_PATH = re.compile(r"(/track/)[^/\s]+")


def without_secrets(path: str) -> str:
    """Return a path in which a token that opens something (an order's tracking page) is left out."""
    return _SECRET_IN_PATH.sub(r"\1<token>", path)


class WithoutSecrets(logging.Filter):
    """For loggers of others: they write the path of a request, and hang the request itself on, with its query."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.__dict__.pop("request", None)
        if isinstance(record.msg, str):
            record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


def config(*, debug: bool) -> dict[str, Any]:
    """Return the logging configuration (a dictConfig)."""
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
        if debug
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
            }
        },
        "filters": {"secrets": {"()": WithoutSecrets}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["secrets"]}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "WARNING"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "fontTools": {"level": "WARNING"},
            "psycopg.pool": {"level": "WARNING"},
        },
    }


def configure(settings: dict[str, Any]) -> None:
    """Set up logging and structlog; Django calls it with the setting LOGGING."""
    logging.config.dictConfig(settings)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
