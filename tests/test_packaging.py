"""The lock agrees with pyproject.toml; the wheel carries the course without solutions, and runs."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
    r"(?P<via>(?:    #.*\n?)+)",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def required(project):
    """The requirements of the project and its extras, by name."""
    extras = project["optional-dependencies"].values()
    texts = [*project["dependencies"], *(text for extra in extras for text in extra)]
    return {canonicalize_name(need.name): need for need in map(Requirement, texts)}


@pytest.fixture(scope="module")
def lock(root):
    return (root / "requirements.lock").read_text("utf-8")


@pytest.fixture(scope="module")
def locked(lock):
    """The lock's entries by name: one a version, for a package may differ by platform."""
    entries = {}
    for match in ENTRY.finditer(lock):
        entries.setdefault(canonicalize_name(match["name"]), []).append(match)
    return entries


def test_every_line_of_the_lock_is_a_pinned_entry_with_hashes(lock):
    assert re.sub(r"^(#.*\n)+", "", ENTRY.sub("", lock)) == ""


def test_lock_names_no_address(lock):
    assert re.findall(r"\w+://\S+|--(?:extra-)?index-url|--find-links", lock) == []


def test_lock_has_every_requirement_at_an_allowed_version(required, locked):
    assert {
        name: [entry["version"] for entry in locked.get(name, [])]
        for name, need in required.items()
        if name not in locked
        or not all(need.specifier.contains(entry["version"]) for entry in locked[name])
    } == {}


def test_what_the_lock_has_for_the_project_the_project_asks_for(required, locked):
    ours = {
        name
        for name, entries in locked.items()
        if any("tradeoff (pyproject.toml)" in entry["via"] for entry in entries)
    }
    assert ours == set(required)


def test_lock_has_all_that_is_installed_for_the_course(locked):
    """A package the lock lacks would come at any version and with its hash unchecked."""
    seen, todo = set(), [("tradeoff", "dev"), ("tradeoff", "")]
    while todo:
        name, extra = todo.pop()
        for text in metadata.requires(name) or []:
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                for step in {(need.name, each) for each in {"", *need.extras}} - seen:
                    seen.add(step)
                    todo.append(step)
    assert {canonicalize_name(name) for name, _ in seen} - set(locked) == set()


def test_every_requirement_has_an_upper_bound(required):
    bounded = {
        name
        for name, need in required.items()
        if any(bound.operator in ("<", "<=", "==", "~=") for bound in need.specifier)
    }
    assert bounded == set(required)


def build(folder, kind, into):
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = into.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    return build(root, "wheel", tmp_path_factory.mktemp("wheel"))


def test_wheel_carries_the_course_and_never_a_solution(root, house_files, wheel):
    expected = set()
    for path in house_files:
        name = path.relative_to(root).as_posix()
        if name.startswith("lessons/tradeoff/"):
            expected.add(name.removeprefix("lessons/"))
        elif name.startswith(("exercises/", "data/")) or re.fullmatch(r"lessons/.+\.ipynb", name):
            expected.add(f"tradeoff/_course/{name}")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert carried == expected
    assert {name.split("/")[2] for name in carried if "/_course/" in name} == {
        "lessons",
        "exercises",
        "data",
    }


def test_sdist_builds_the_same_wheel(wheel, root, tmp_path):
    sdist = build(root, "sdist", tmp_path / "sdist")
    shutil.unpack_archive(sdist, tmp_path)
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert not (unpacked / "solutions").exists()
    again = build(unpacked, "wheel", tmp_path / "wheel")
    assert again.read_bytes() == wheel.read_bytes()


def test_editable_install_duplicates_nothing(root, tmp_path):
    """The wheel that an editable install unpacks: a pointer to this folder and the metadata."""
    script = "import sys; from hatchling.build import build_editable as b; print(b(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, capture_output=True, text=True
    )
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert names == ["_tradeoff.pth"], done.stderr
        assert archive.read(names[0]).decode() == str(root / "lessons")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel unpacked, which is all an installer does for a pure one."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def learner(installed, tmp_path, monkeypatch):
    """Runs Python as a learner who has the wheel and sits in an empty folder."""
    monkeypatch.setenv("PYTHONPATH", str(installed))

    def python(script):
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return python


def test_installed_package_finds_its_own_tables(learner, installed):
    said = learner("import tradeoff.data; print(tradeoff.data.folder())")
    assert said.strip() == str(installed / "tradeoff" / "_course" / "data")


def test_installed_course_opens_on_a_copy_in_the_learners_folder(learner, installed, tmp_path):
    said = learner(
        "from tradeoff import cli\n"
        "cli.opening._run = lambda command, folder: print('ROOT', folder) or 0\n"
        "raise SystemExit(cli.main(['open', '--no-browser']))"
    )
    copy, carried = tmp_path / "tradeoff-course", installed / "tradeoff" / "_course"
    assert f"ROOT {copy}" in said
    given = {path.relative_to(carried) for path in carried.rglob("*") if path.is_file()}
    assert given == {
        path.relative_to(copy)
        for path in copy.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    assert all((copy / name).read_bytes() == (carried / name).read_bytes() for name in given)


LESSONS = sorted(path.name for path in Path(__file__).resolve().parents[1].glob("lessons/*.ipynb"))
# Runs a lesson of the installed course here, and says where its kernel found the package, how many
# seconds all took, and what went to stderr or wrong.
RUN = """
import json, sys, time
import nbformat
from nbclient import NotebookClient
from tradeoff import course

book = nbformat.read(course.home() / "lessons" / sys.argv[1], as_version=4)
book.cells.append(nbformat.v4.new_code_cell("import tradeoff; print(tradeoff.__file__)"))
started = time.monotonic()
NotebookClient(book, timeout=120).execute()
noise = [
    output.get("text") or output.get("evalue")
    for cell in book.cells
    for output in cell.get("outputs", ())
    if output.output_type == "error" or output.get("name") == "stderr"
]
print(json.dumps([book.cells[-1].outputs[0].text.strip(), time.monotonic() - started, noise]))
"""


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """The Python of an environment of its own, in which pip has installed the wheel.

    What the wheel depends on is lent by this environment, by a path: a path, unlike a folder of
    packages, brings no pointer to the checkout with it.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True)
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.check_output(asked, text=True).strip())
    own.joinpath("lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python, own


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_from_the_installed_wheel(environment, tmp_path, name, record_property):
    python, own = environment
    outside = {"PYTHONPATH", "TRADEOFF_DATA"}
    done = subprocess.run(
        [python, "-c", RUN, name],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key not in outside},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found, seconds, noise = json.loads(done.stdout.splitlines()[-1])
    assert Path(found).is_relative_to(own)
    assert noise == []
    assert list(tmp_path.iterdir()) == []
    record_property("seconds", round(seconds, 1))
