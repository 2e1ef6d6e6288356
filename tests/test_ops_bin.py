"""The two commands of the README say in plain words what is missing."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path):
    """A bare copy of what bin/setup needs, with a PATH on which only the usual tools are."""
    shutil.copytree(ROOT / "bin", tmp_path / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "cat", "cksum", "rm"):
        (tools / name).symlink_to(shutil.which(name))
    return tmp_path


def run(project, command, *args, **environment):
    return subprocess.run(
        [shutil.which("bash"), project / "bin" / command, *args],
        env={"PATH": str(project / "tools"), **environment}, capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip


def put(project, name, *lines):
    script = project / "tools" / name
    script.write_text("\n".join([f"#!{shutil.which('bash')}", *lines, ""]))
    script.chmod(0o755)


def test_without_python_it_says_so(project):
    done = run(project, "setup", "production")

    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_python_that_is_too_old_is_not_taken(project):
    put(project, "python3", "exit 1")  # as the question for the version fails on it

    assert "Python 3.11 or newer is needed" in run(project, "setup", "production").stderr


def test_without_debians_venv_package_it_names_it(project):
    put(project, "python3", 'case "$*" in *ensurepip*) exit 1;; esac')
    done = run(project, "setup", "production")

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (project / ".venv").exists()


def test_uv_is_used_where_it_is_and_nothing_is_done_twice(project):
    put(project, "python3", "exit 0")
    log = project / "log"
    put(project, "mkdir", f'exec {shutil.which("mkdir")} "$@"')
    put(project, "cp", f'exec {shutil.which("cp")} "$@"')
    put(
        project,
        "uv",
        f'echo "$@" >>{log}',
        '[ "$1" = venv ] || exit 0',
        f"mkdir -p .venv/bin && cp {project}/tools/python3 .venv/bin/python",
    )
    first = run(project, "setup", "dev")
    assert first.returncode == 0, first.stderr
    installed = log.read_text()
    assert "--require-hashes -r requirements/dev.txt" in installed

    for wanted in ("dev", "production"):  # what dev locks holds what production locks
        again = run(project, "setup", wanted)
        assert (again.returncode, again.stderr) == (0, "")
    assert log.read_text() == installed

    (project / "requirements" / "dev.txt").write_text("changed==1\n")
    run(project, "setup", "dev")
    assert log.read_text() != installed


def test_packages_that_cannot_be_fetched_are_told(project):
    put(project, "python3", "exit 0")
    put(project, "mkdir", f'exec {shutil.which("mkdir")} "$@"')
    put(project, "cp", f'exec {shutil.which("cp")} "$@"')
    put(project, "uv", f"mkdir -p .venv/bin && cp {project}/tools/python3 .venv/bin/python", '[ "$1" = venv ]')
    done = run(project, "setup", "production")

    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert not (project / ".venv" / "installed-production").exists()


@pytest.mark.parametrize(
    ("variables", "saying"),
    [({"PORT": "http"}, "PORT must be a number, not 'http'"), ({"WORKERS": "0"}, "WORKERS must be a number from 1")],
)
def test_run_refuses_what_it_cannot_mean(project, variables, saying):
    done = run(project, "run", **variables)

    assert done.returncode == 1
    assert saying in done.stderr


def test_run_says_at_once_that_the_port_is_taken(project):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run(project, "run", PORT=str(other.getsockname()[1]))

    assert done.returncode == 1
    assert "Something already listens on 127.0.0.1" in done.stderr


def test_all_commands_are_sound_shell():
    for script in (*(ROOT / "bin").iterdir(), ROOT / ".ci" / "run"):
        if script.is_file():
            assert script.read_text().splitlines()[0] == "#!/usr/bin/env bash"
            assert "set -euo pipefail" in script.read_text()
            assert os.access(script, os.X_OK)
            subprocess.run(["bash", "-n", script], check=True)
