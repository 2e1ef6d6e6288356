"""What a process loads: commands no pages, servers all of them before they divide, and the check whatever it checks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = {"bakery.urls", "products.views", "products.admin", "unfold.admin"}


@pytest.fixture
def loaded(tmp_path):
    """The modules that a new process has loaded after a piece of Python."""
    environment = os.environ | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bakery.settings"}

    def load(code):
        told = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", told], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    return load


def test_an_import_waits_for_nothing_that_it_does_not_need(loaded, tmp_path):
    run = "from django.core.management import execute_from_command_line"
    command = ["manage.py", "import_products", str(tmp_path / "none.csv")]
    modules = loaded(f"{run}\ntry: execute_from_command_line({command})\nexcept SystemExit: pass")

    assert "products.importing.apply" in modules
    assert modules.isdisjoint({*PAGES, "openpyxl", "fpdf", "rich.progress", "requests"})


def test_the_check_of_the_admin_loads_the_pages_that_it_checks(loaded):
    modules = loaded(
        "import django; django.setup()\nfrom django.core.checks import run_checks\nrun_checks(tags=['admin'])"
    )

    assert {"products.admin", "accounts.admin"} <= modules


def test_a_server_has_every_page_before_its_workers_are_forked(loaded):
    assert loaded("import bakery.wsgi") >= PAGES
