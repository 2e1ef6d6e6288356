"""Settings for every deployment: each difference is one environment variable (docs/settings.md)."""

import os
import tempfile
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import environ

from bakery import env, logs, storage

# --- Where things are -------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

# --- The process ------------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret_key(DATA_DIR)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
HTTPS_ONLY = env.flag("HTTPS_ONLY", default=True)
TRUSTED_PROXIES = env.read(
    "TRUSTED_PROXIES",
    "",
    lambda value: [str(ip_network(part.strip(), strict=False)) for part in value.split(",") if part.strip()],
    "addresses or networks such as 10.0.0.0/8, separated by commas",
)
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS = env.names("CORS_ALLOWED_ORIGINS")
METRICS_TOKEN = env.text("METRICS_TOKEN")
THROTTLING = env.flag("THROTTLING", default=True)

ROOT_URLCONF = "bakery.urls"
WSGI_APPLICATION = "bakery.wsgi.application"

INSTALLED_APPS = [
    "bakery",
    "accounts",
    "products",
    "cashbook",
    "chat",
    "orders",
    "production",
    "reports",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "bakery.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "corsheaders",
    "django_filters",
    "django_tasks",
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "simple_history",
]

MIDDLEWARE = [
    "bakery.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database: SQLite out of the box, PostgreSQL by DATABASE_URL ------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


_ENGINES = {
    "sqlite": "bakery.sqlite",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
}


def _database() -> dict[str, Any]:
    config = env.read(
        "DATABASE_URL",
        f"sqlite:///{DATA_DIR / 'bakery.sqlite3'}",
        lambda url: {"OPTIONS": {}, **environ.Env.db_url_config(url), "ENGINE": _ENGINES[url.partition(":")[0]]},
        "sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME",
    )
    options = dict(config["OPTIONS"])
    if config["ENGINE"] == _ENGINES["sqlite"]:
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;"
            "PRAGMA mmap_size=268435456; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY",
        }
        # A file, not the shared memory that tests take by default: threads would find its tables locked.
        scratch = Path(tempfile.gettempdir()) / f"bakery-test-{os.getpid()}.sqlite3"
        return config | {"OPTIONS": options, "CONN_MAX_AGE": None, "TEST": {"NAME": str(scratch)}}
    # While the server is away a request waits two seconds, and the first one after it is back gets through: left to
    # itself the pool would ask again after ever longer pauses.
    pool = {"min_size": 1, "max_size": 8, "timeout": 2, "reconnect_timeout": 1}
    # No compiling of single queries: fresh tables look costly to the planner, and then it takes longer than they do.
    options |= {"pool": pool, "connect_timeout": 3, "options": f"-c jit=off {options.get('options', '')}".strip()}
    return config | {"OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": _database()}

REDIS_URL = env.redis_url("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "bakery.cache.ForgivingRedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- People -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.LeanArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# auth.W004: the database keeps usernames unique whatever their case; Django's check knows only `unique=True`.
# security.W005, W021: to bind the owner's other hosts to HTTPS for a year is not ours to decide.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
LOGIN_URL = "admin:login"
PASSWORD_RESET_TIMEOUT = 3600 * 4
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "CHECK_REVOKE_TOKEN": True,
    "LEEWAY": 5,
}

# --- The API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bakery.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["bakery.api.permissions.PermissionTable"],
    "DEFAULT_RENDERER_CLASSES": ["bakery.api.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["bakery.api.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": [
        "bakery.api.filters.StrictFilterBackend",
        "bakery.api.filters.StrictOrdering",
    ],
    "DEFAULT_PAGINATION_CLASS": "bakery.api.pagination.Pages",
    "DEFAULT_THROTTLE_CLASSES": [
        "bakery.api.throttling.CallerThrottle",
        "bakery.api.throttling.ActionThrottle",
    ],
    "DEFAULT_SCHEMA_CLASS": "bakery.api.schema.EnvelopeSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "bakery.api.exceptions.to_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bakery",
    "VERSION": "1",
    "DESCRIPTION": "The API that a bakery's website and dashboard stand on. "
    "Every JSON answer has the same five keys; errors name the field and a stable code.",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Names are part of the contract: a second choice of the same field must not rename the first.
    "ENUM_NAME_OVERRIDES": {
        "AllergenEnum": "products.models.Allergen",
        "BakingItemStatusEnum": "production.models.ItemStatus",
        "BakingPlanStatusEnum": "production.models.PlanStatus",
        "CashEntryTypeEnum": "cashbook.models.EntryType",
        "CounterSourceEnum": "production.models.CounterSource",
        "DietEnum": "products.models.Diet",
        "FulfilmentEnum": "orders.models.Fulfilment",
        "MethodEnum": "cashbook.models.Method",
        "OrderChannelEnum": "orders.models.Channel",
        "OrderStatusEnum": "orders.models.Status",
        "PaymentKindEnum": "orders.models.PaymentKind",
        "PaymentStatusEnum": "orders.models.PaymentStatus",
        "PlaceEnum": "products.models.Place",
        "RoleEnum": "accounts.models.Role",
    },
    "GET_LIB_DOC_EXCLUDES": "bakery.api.documents.what_speaks_to_its_readers",
    "PREPROCESSING_HOOKS": ["bakery.api.schema.only_the_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "bakery.api.schema.describe_errors",
    ],
}
CORS_URLS_REGEX = r"^/api(/|$)"
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = ["ETag", "Location", "Retry-After", "X-Request-ID", "Idempotent-Replayed"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# --- Background work and e-mail ---------------------------------------------------------------------------------

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
vars().update(
    env.read(
        "EMAIL_URL",
        "console://",
        lambda url: environ.Env.email_url_config(url.replace("console://", "consolemail://")),
        "smtp://USER:PASSWORD@HOST:PORT, smtp+tls://…, smtp+ssl://… or console://",
    )
)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "bakery@localhost")

# --- Time, language, files --------------------------------------------------------------------------------------

TIME_ZONE = env.read(
    "TIME_ZONE", "Europe/Paris", lambda name: ZoneInfo(name).key, "the name of a time zone such as Europe/Paris"
)
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = ["bakery.formats"]

STATIC_URL = "/static/"
# Served out of the packages themselves: nothing to collect at an upgrade, nothing to forget.
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA_DIR / "media"
_BUCKET = env.read("MEDIA_STORAGE", "", storage.read, "s3://KEY:SECRET@HOST/BUCKET or s3+http://…")
MEDIA_URL = _BUCKET.address if _BUCKET else "/media/"
STORAGES = {
    "default": storage.of(_BUCKET) if _BUCKET else storage.IN_FILES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
BACKUP_DIR = DATA_DIR / "backups"
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

# --- The cash book ----------------------------------------------------------------------------------------------

# A class that signs every entry (docs/cash-exports.md), such as mybakery.tse.Signer.
FISCAL_SIGNER = env.text("FISCAL_SIGNER")

# --- Security ---------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31536000 if HTTPS_ONLY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_AGE = 12 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Logs and the admin's looks ---------------------------------------------------------------------------------

LOGGING = logs.config(debug=DEBUG)
LOGGING_CONFIG = "bakery.logs.configure"
IMPORT_EXPORT_USE_TRANSACTIONS = True
UNFOLD = {
    "SITE_TITLE": "Bakery",
    "SITE_HEADER": "Bakery",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "255 251 235",
            "100": "254 243 199",
            "200": "253 230 138",
            "300": "252 211 77",
            "400": "251 191 36",
            "500": "217 119 6",
            "600": "180 83 9",
            "700": "146 64 14",
            "800": "120 53 15",
            "900": "99 44 12",
            "950": "69 26 3",
        },
    },
    "SIDEBAR": {"show_search": True, "navigation": "bakery.navigation.sidebar"},
}
