"""What every test may ask for: the root of the house, and the files that stand in it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (".ci", "lessons", "exercises", "solutions", "data", "tests")
PASSING = {"__pycache__", ".ipynb_checkpoints"}


# Files that take minutes, those on Java apart from each other. The others come after them: a long
# one begun last would keep one worker busy while the other has nothing left.
LONG = (
    *("lab/test_spark.py", "test_assignments.py", "lab/test_flink.py", "test_nbgrader.py"),
    *("lab/test_volume.py", "test_browser.py", "lab/test_kafka_streams.py", "test_packaging.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first."""
    place = {ROOT / "tests" / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(LONG)))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def house_files() -> list[Path]:
    """Every file of the project, found without git: a downloaded archive has none."""
    outside = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    inside = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()]
    return sorted(path for path in outside + inside if not PASSING & set(path.parts))
