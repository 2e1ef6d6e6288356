"""The environment: each variable is written down, and a malformed one stops the start with its name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from bakery import env

ROOT = Path(__file__).parent.parent


def test_the_list_of_variables_is_complete():
    read = set()
    for source in ("bakery/settings.py", "bakery/gunicorn.py", "bakery/env.py"):
        text = (ROOT / source).read_text()
        read |= set(re.findall(r'(?:env\.\w+|\btext)\(\s*"([A-Z_]+)"', text))
    read |= set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "bin" / "run").read_text()))
    written = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))

    assert len(read) > 15
    assert written == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_ONLY", "maybe"), ("DEBUG", "2"), ("THROTTLING", "x"), ("SECRET_KEY", "short"),
        ("TIME_ZONE", "Mars/Olympus"), ("TIME_ZONE", "../etc/passwd"), ("DATABASE_URL", "bakery:hunter2"),
        ("DATABASE_URL", "oracle://user:hunter2@host/db"), ("EMAIL_URL", "smpt://user:hunter2@host"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy"), ("REDIS_URL", "localhost:6379"),
        ("MEDIA_STORAGE", "shop"), ("MEDIA_STORAGE", "s3://key:hunter2@host"), ("MEDIA_STORAGE", "s3://key:hunter2@/shop"),
        ("MEDIA_STORAGE", "s3://hunter2@host/shop"), ("MEDIA_STORAGE", "s3://k:hunter2@host/shop?acl=x"),
        ("MEDIA_STORAGE", "s3://k:hunter2@host/shop?address=shop"), ("MEDIA_STORAGE", "gs://k:hunter2@host/shop"),
    ],
)  # fmt: skip
def test_a_malformed_variable_stops_the_start_and_is_named(tmp_path, name, value):
    environment = os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bakery.settings", name: value}
    done = subprocess.run(
        [sys.executable, "-c", "import bakery.settings"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"django.core.exceptions.ImproperlyConfigured: {name} must")
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "two", "²"])
def test_a_count_is_a_whole_number_from_one(monkeypatch, value):
    monkeypatch.setenv("WORKERS", value)

    with pytest.raises(Exception, match="WORKERS must be a whole number from 1"):
        env.count("WORKERS", 2)


def test_a_key_is_made_once_and_kept_for_its_owner(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    key = env.secret_key(tmp_path)

    assert len(key) >= 50
    assert env.secret_key(tmp_path) == key
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_postgres_compiles_no_queries_and_is_told_what_else_the_address_asks_for(tmp_path):
    address = "postgres://shop@db/shop?options=-c%20work_mem%3D8MB"
    show = "from bakery.settings import DATABASES; print(DATABASES['default']['OPTIONS']['options'])"
    told = subprocess.run(
        [sys.executable, "-c", show],
        cwd=ROOT, env=os.environ | {"DATA_DIR": str(tmp_path), "DATABASE_URL": address}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "-c jit=off -c work_mem=8MB"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="it is PostgreSQL that compiles")
def test_connections_to_postgres_are_without_jit(db):
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
