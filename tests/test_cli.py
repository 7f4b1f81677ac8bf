"""`tradeoff open` and `tradeoff doctor`, and the copy of the course that keeps a learner's work."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tradeoff import cli, course
from tradeoff.cli import doctor, opening

LESSON = "lessons/01_first.ipynb"


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def shipped(tmp_path):
    """A small course as a wheel would carry it."""
    root = tmp_path / "shipped"
    write(root, LESSON, "lesson, first edition")
    write(root, "exercises/night/night.ipynb", "exercise")
    write(root, "data/orders.csv", "order_id")
    write(root, "solutions/night/night.ipynb", "solution")
    write(root, "lessons/.ipynb_checkpoints/01_first-checkpoint.ipynb", "stray")
    return root


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mine"


def test_first_copy_lays_out_the_course_alone(shipped, folder):
    copied = course.copy_to(folder, shipped)
    laid = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(copied.new) == {LESSON, "exercises/night/night.ipynb", "data/orders.csv"}
    assert laid == {*copied.new, course.MANIFEST}


def test_second_copy_of_the_same_course_does_nothing(shipped, folder):
    course.copy_to(folder, shipped)
    write(folder, LESSON, "my notes")
    assert course.copy_to(folder, shipped) == course.Copied()
    assert (folder / LESSON).read_text("utf-8") == "my notes"


def test_unchanged_file_is_updated(shipped, folder):
    course.copy_to(folder, shipped)
    write(shipped, LESSON, "lesson, second edition")
    assert course.copy_to(folder, shipped).updated == [LESSON]
    assert (folder / LESSON).read_text("utf-8") == "lesson, second edition"


def test_changed_file_is_kept_and_the_newer_one_laid_beside_it_once(shipped, folder):
    course.copy_to(folder, shipped)
    write(folder, LESSON, "my notes")
    write(shipped, LESSON, "lesson, second edition")
    copied = course.copy_to(folder, shipped)
    assert copied.beside == {LESSON: "lessons/01_first.new.ipynb"}
    assert copied.updated == copied.new == []
    assert (folder / LESSON).read_text("utf-8") == "my notes"
    assert (folder / copied.beside[LESSON]).read_text("utf-8") == "lesson, second edition"
    assert course.copy_to(folder, shipped) == course.Copied()


def test_work_in_the_newer_version_is_kept_too(shipped, folder):
    course.copy_to(folder, shipped)
    write(folder, LESSON, "my notes")
    write(shipped, LESSON, "lesson, second edition")
    course.copy_to(folder, shipped)
    write(folder, "lessons/01_first.new.ipynb", "my notes on the second edition")
    write(shipped, LESSON, "lesson, third edition")
    assert course.copy_to(folder, shipped).beside == {LESSON: "lessons/01_first.new2.ipynb"}


def test_file_of_the_learners_that_the_course_never_gave_is_kept(shipped, folder):
    write(folder, LESSON, "was here before")
    assert course.copy_to(folder, shipped).beside == {LESSON: "lessons/01_first.new.ipynb"}
    assert (folder / LESSON).read_text("utf-8") == "was here before"


def test_damaged_manifest_costs_no_work(shipped, folder):
    course.copy_to(folder, shipped)
    write(folder, LESSON, "my notes")
    write(folder, course.MANIFEST, '{"lessons/01')
    course.copy_to(folder, shipped)
    assert (folder / LESSON).read_text("utf-8") == "my notes"


def test_deleted_file_comes_back(shipped, folder):
    course.copy_to(folder, shipped)
    (folder / LESSON).unlink()
    assert course.copy_to(folder, shipped).new == [LESSON]


EDITS = st.tuples(st.sampled_from(["learner", "learner.new", "course"]), st.integers(0, 4))


@given(st.lists(EDITS, max_size=8))
def test_no_edit_of_the_learners_is_ever_lost(tmp_path_factory, edits):
    """Whatever the order of editions and edits, what the learner wrote last is still there."""
    base = tmp_path_factory.mktemp("course")
    shipped, folder = base / "shipped", base / "mine"
    write(shipped, LESSON, "edition 0")
    course.copy_to(folder, shipped)
    written = {}
    for who, number in edits:
        if who == "course":
            write(shipped, LESSON, f"edition {number}")
        else:
            name = LESSON.replace("first", "first.new") if who == "learner.new" else LESSON
            written[name] = f"my thoughts {number}"
            write(folder, name, written[name])
        course.copy_to(folder, shipped)
        assert {name: (folder / name).read_text("utf-8") for name in written} == written


@pytest.fixture
def started(monkeypatch):
    """What `tradeoff open` would run, and where."""
    calls = []
    monkeypatch.setattr(
        opening, "_run", lambda command, folder: calls.append((command, folder)) or 3
    )
    return calls


def test_open_in_a_checkout_is_in_place(started, root, capsys):
    assert cli.main(["open"]) == 3
    ((command, folder),) = started
    assert folder == root
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={root}" in command
    assert "--no-browser" not in command
    assert str(root) in (said := capsys.readouterr().out)
    assert "Ctrl-C" in said


def test_open_with_a_folder_opens_a_copy(started, root, folder):
    cli.main(["open", "--folder", str(folder), "--no-browser", "--", "--ServerApp.port=9999"])
    ((command, where),) = started
    assert where == folder
    assert {"--no-browser", "--ServerApp.port=9999"} < set(command)
    assert {*course.files(root), course.MANIFEST} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }


def test_open_says_what_became_of_a_changed_file(started, folder, root, capsys):
    name = next(iter(course.files(root)))
    write(folder, name, "mine")
    cli.main(["open", "--folder", str(folder)])
    assert f"You changed {name}: it stays yours" in capsys.readouterr().out


def test_open_says_when_the_folder_cannot_be_used(started, tmp_path, capsys):
    blocked = write(tmp_path, "file", "not a folder")
    assert cli.main(["open", "--folder", str(blocked)]) == 1
    assert "cannot be opened" in capsys.readouterr().err
    assert started == []


def test_doctor_finds_the_course_ready(capsys):
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "The course: ready" in said
    for part in ("Grading", "Tests", "The lab of real engines"):
        assert f"\n{part}" in said


@pytest.mark.parametrize(("gone", "code"), [("altair", 1), ("nbgrader", 0), ("pytest", 0)])
def test_doctor_fails_only_when_the_course_itself_would(gone, code, monkeypatch, capsys):
    def version(name, real=metadata.version):
        if name == gone:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert cli.main(["doctor"]) == code
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line]
    (found,) = [rest for name, rest in lines if name == gone]
    assert found.startswith("MISSING")
    assert "python3 lessons/start.py" in found


@pytest.mark.parametrize(
    ("platform", "advice"),
    [("linux", "apt-get install"), ("darwin", "brew install"), ("win32", "scoop install")],
)
def test_doctor_says_how_to_get_what_is_missing_here(platform, advice, monkeypatch, capsys):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "platform", platform)
    cli.main(["doctor"])
    said = capsys.readouterr().out
    for name in ("Java 17+", "Maven", "C++ compiler", "Chromium"):
        assert any(name in line and advice in line for line in said.splitlines())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('openjdk version "17.0.15" 2025-04-15', True),
        ('openjdk version "21" 2023-09-19', True),
        ('java version "1.8.0_292"', False),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", False),
    ],
)
def test_doctor_takes_java_from_17_on(said, found, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name)
    monkeypatch.setattr(
        doctor.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, "", said)
    )
    assert (doctor._java() == "java") == found


def test_doctor_imports_none_of_what_it_looks_for():
    script = "import sys; from tradeoff import cli; cli.main(['doctor']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "tradeoff.cli" in loaded
    assert not loaded & {"jupyterlab", "altair", "duckdb", "ipywidgets", "nbgrader", "pytest"}


@pytest.fixture
def server(folder, tmp_path):
    """The course opened for real, in a home whose own kernel belongs to another Python."""
    write(tmp_path, "home/kernels/python3/kernel.json", '{"argv": ["/elsewhere/python"]}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"JUPYTER_TOKEN": "t", "JUPYTER_DATA_DIR": str(tmp_path / "home")}
    command = [sys.executable, "-m", "tradeoff.cli", "open", "--no-browser", "--folder", folder]
    with subprocess.Popen([*command, "--", f"--ServerApp.port={port}"], env=environment) as process:

        def ask(path, method="GET"):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/{path}?token=t", method=method
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read()

        until = time.monotonic() + 60
        while True:
            try:
                ask("api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "JupyterLab stopped by itself"
                assert time.monotonic() < until, "JupyterLab did not answer within a minute"
                time.sleep(0.1)
        yield ask
        ask("api/shutdown", "POST")
        assert process.wait(30) == 0


def test_jupyterlab_opens_on_the_course_with_this_python(server):
    assert {"lessons", "exercises", "data"} <= {
        entry["name"] for entry in json.loads(server("api/contents"))["content"]
    }
    kernel = json.loads(server("api/kernelspecs"))["kernelspecs"]["python3"]["spec"]
    assert kernel["argv"][0] in ("python", sys.executable)
    assert b"jupyter-config-data" in server("lab")
