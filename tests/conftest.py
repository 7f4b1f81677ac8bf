"""What every test may ask for: the root of the house, and the files that stand in it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".ci", "lessons", "exercises", "solutions", "data", "tests")
PASSING = {"__pycache__", ".ipynb_checkpoints"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def house_files() -> list[Path]:
    """Every file of the project, found without git: a downloaded archive has none."""
    outside = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    inside = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    return sorted(path for path in outside + inside if not PASSING & set(path.parts))
