"""lessons/start.py installs once, checks for change, and hands exit codes and Ctrl-C through."""

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = Path(__file__).resolve().parents[1] / "lessons" / "start.py"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The bootstrap as a module, at home in an empty folder, its commands noted and not run."""
    spec = importlib.util.spec_from_file_location("start", START)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text("first", "utf-8")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "BIN", tmp_path / ".venv" / "bin")
    monkeypatch.setattr(module, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(module, "find_uv", lambda: "uv")
    module.calls, module.codes = [], {}

    def call(*command, **options):
        words = [str(word) for word in command]
        module.calls.append(words)
        if words[1] == "venv":
            module.BIN.mkdir(parents=True, exist_ok=True)
            module.PYTHON.touch()
        return module.codes.get(words[1], 0)

    monkeypatch.setattr(module, "call", call)
    return module


def fills(start):
    """What was installed, in order."""
    return [words[words.index("--editable") + 1] for words in start.calls if "--editable" in words]


def test_second_run_installs_nothing(start):
    start.main([])
    start.main([])
    assert fills(start) == ["."]
    assert [words[1:] for words in start.calls].count(["-m", "tradeoff.cli", "open"]) == 2


def test_tests_add_their_tools_and_the_course_then_needs_nothing(start):
    start.main(["open"])
    start.main(["test"])
    start.main(["open"])
    start.main(["test"])
    assert fills(start) == [".", ".[dev]"]


def test_the_lab_lies_between_the_course_and_the_tests(start):
    start.main(["lab"])
    start.main(["open"])
    start.main(["lab", "--run"])
    assert fills(start) == [".[lab]"]
    assert start.calls[-1][1:] == ["-m", "tradeoff.cli", "lab", "--run"]
    start.main(["test"])
    start.main(["lab"])
    assert fills(start) == [".[lab]", ".[dev]"]


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_changed_lock_or_project_installs_again(start, name):
    start.main([])
    (start.ROOT / name).write_text("second", "utf-8")
    start.main([])
    assert fills(start) == [".", "."]


def test_every_install_is_held_to_the_lock(start):
    start.main(["test"])
    (words,) = [words for words in start.calls if "--editable" in words]
    for option in ("--constraints", "--build-constraints"):
        assert words[words.index(option) + 1] == "requirements.lock"


@pytest.mark.parametrize("step", ["venv", "pip"])
def test_failed_install_passes_its_code_and_is_tried_again(start, step, capsys):
    start.codes[step] = 7
    with pytest.raises(SystemExit) as stopped:
        start.main([])
    assert stopped.value.code == 7
    assert "the same command" in capsys.readouterr().err
    del start.codes[step]
    start.main([])
    assert fills(start)[-1] == "."
    assert start.calls[-1][1:] == ["-m", "tradeoff.cli", "open"]


def test_arguments_go_to_pytest_and_its_code_comes_back(start):
    start.codes["-m"] = 5
    assert start.main(["test", "-k", "lock"]) == 5
    assert start.calls[-1][1:] == ["-m", "pytest", "-k", "lock"]


def test_run_says_when_there_is_no_such_command(start, capsys):
    with pytest.raises(SystemExit) as stopped:
        start.main(["run", "no-such-command"])
    assert stopped.value.code
    assert "'no-such-command'" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["tset"], 2), (["run"], 2)])
def test_help_installs_nothing(start, arguments, code, capsys):
    assert start.main(arguments) == code
    assert "python3 lessons/start.py test" in capsys.readouterr().out
    assert start.calls == []


def test_uv_that_does_not_run_counts_as_none(start, tmp_path):
    assert start.version(str(tmp_path / "nothing")) == (0, 0)
    assert start.version(sys.executable) >= (3, 11)


def in_start(code, **options):
    """A process that calls `code` through the real bootstrap."""
    script = (
        "import signal, sys, start\n"
        # Started in the background of a shell, a process would ignore Ctrl-C, and so its children.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.exit(start.call(sys.executable, '-c', sys.argv[1]))"
    )
    environment = os.environ | {"PYTHONPATH": str(START.parent)}
    return subprocess.Popen(
        [sys.executable, "-c", script, code], env=environment, text=True, **options
    )


def test_exit_code_comes_back():
    assert in_start("raise SystemExit(9)").wait(30) == 9


@pytest.mark.skipif(os.name == "nt", reason="signals to a group are POSIX: run this on Linux")
def test_ctrl_c_is_the_commands_to_answer():
    code = (
        "import time\n"
        "try:\n    print('ready', flush=True); time.sleep(30)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.6); raise SystemExit(4)"
    )
    with in_start(code, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 4
