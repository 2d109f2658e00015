"""The wheel: a working `spirale`, with its data and its migrations inside."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from lti_tool.config import shipped


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout, built into a wheel and installed in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel") / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        + ["--no-build-isolation", "--no-index", "--target", str(folder), str(shipped())],
        check=True,
        timeout=120,
    )
    return folder


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIRALE_")}
    paths = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])
    return subprocess.run(
        [sys.executable, "-P", str(installed / "bin" / "spirale"), *words],
        env={**kept, "PYTHONPATH": paths, "SPIRALE_DATA_DIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_installed_spirale_works_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    checked = run(installed, tmp_path, "referential", "check")
    assert checked.returncode == 0, checked.stderr
    assert "mrc-seconde: 43 items, ok" in checked.stdout
    upgraded = run(installed, tmp_path, "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert (tmp_path / "spirale.db").stat().st_size > 100_000


def test_the_wheel_holds_all_that_is_not_code(installed: Path) -> None:
    root = shipped()
    for part in ("configs", "migrations"):
        files = {
            p.relative_to(root / part)
            for p in (root / part).rglob("*")
            if p.suffix in (".toml", ".yaml", ".py")
        }
        inside = installed / "lti_tool" / "_data" / part
        assert files
        assert files == {
            p.relative_to(inside) for p in inside.rglob("*") if p.suffix in (".toml", ".yaml", ".py")
        }
    for part in ("templates", "static", "translations", "demo/templates", "demo/static"):
        files = {
            p.relative_to(root / "lti_tool") for p in (root / "lti_tool" / part).rglob("*") if p.is_file()
        }
        files = {p for p in files if "__pycache__" not in p.parts}
        assert files
        assert all((installed / "lti_tool" / p).is_file() for p in files)
