"""The settings of the tests: those of the product, with an environment that does not depend on the machine."""

import os
import tempfile

os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="bakery-test-"))
os.environ.update(
    SECRET_KEY="of-the-tests-alone-" * 4,
    HTTPS_ONLY="off",
    DEBUG="off",
    THROTTLING="off",
    TIME_ZONE="Europe/Paris",
    REDIS_URL="",
    METRICS_TOKEN="",
    ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
)

from tests.patient import *  # noqa: F403  # the environment comes first

# Argon2 is slow on purpose; tests of passwords ask for it by name.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
