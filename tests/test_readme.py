"""What the README says can be done can be done."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.server import ROOT, a_shop

README = (ROOT / "README.md").read_text()


def test_every_command_of_the_readme_is_there():
    table = README.split("| `.venv/bin/python manage.py …` |")[1].split("\n\n")[0]
    named = {words.split()[0] for words in re.findall(r"`([a-z_]+(?: [^`]*)?)`", table)}

    assert {"backup", "restore", "doctor", "import_products"} <= named
    assert named - set(get_commands()) == set()


def test_every_file_of_the_readme_is_there():
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README) + re.findall(r"`(bin/\w+)", README)

    assert [path for path in linked if not (ROOT / path).exists()] == []


@pytest.mark.servers
def test_the_tour_leads_from_the_website_to_the_cash_book(db, tmp_path):
    tour = re.search(r"<!-- tour -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert tour
    with a_shop(tmp_path) as shop:
        shop.manage("loaddata", "demo")
        shop.serve()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", tour[1]],
            env=shop.environment | {"API": f"{shop.url}/api"},
            capture_output=True, text=True, check=False, cwd=Path("/"),
        )  # fmt: skip

        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert '"status":"completed"' in done.stdout
        assert '"reference":"order:' in done.stdout
        assert shop.manage("doctor").returncode == 0
