"""The OpenAPI document is true: generated requests, good and bad, get the answers that it promises."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

from tests.server import a_shop
from tests.waiting import PATIENCE

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,use_after_free"
)
ROLES = [None, "customer", "cashier", "baker", "driver", "manager", "owner"]
# Who may do what is the same on every database; what another one chokes on is met by who may do everything.
ROLES_HERE = ROLES if connection.vendor == "sqlite" else ["owner"]
# They end the very session that the run stands on, or make every later request a lock-out.
LEFT_OUT = ("/api/auth/logout", "/api/auth/password")


@pytest.fixture(scope="module")
def shop(django_db_setup, tmp_path_factory):
    with a_shop(tmp_path_factory.mktemp("schema")) as shop:
        shop.manage("loaddata", "demo")
        shop.manage("seed_demo")
        shop.serve()
        yield shop


def token_of(shop, username):
    body = json.dumps({"username": username, "password": f"{username}-demo-1"}).encode()
    request = urllib.request.Request(f"{shop.url}/api/auth/login", body, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["data"]["access"]


@pytest.mark.servers
@pytest.mark.parametrize("username", ROLES_HERE)
def test_generated_requests_get_what_the_document_promises(shop, username, tmp_path):
    tool = Path(sys.executable).with_name("schemathesis")
    command = [
        tool, "run", f"{shop.url}/api/schema", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
        "--mode", "all", "--max-examples", "3", "--seed", "1", "--workers", "1", "--generation-database", "none",
        "--no-shrink", "--suppress-health-check", "all", "--max-failures", "10", "--request-timeout", str(PATIENCE),
    ]  # fmt: skip
    for path in LEFT_OUT:
        command += ["--exclude-path", path]
    if username:
        command += ["--header", f"Authorization: Bearer {token_of(shop, username)}"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30 * PATIENCE)

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
