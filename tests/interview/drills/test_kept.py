"""A learner's file: whole after any crash, shared by processes, set aside when it is broken."""

import json
import signal
import subprocess
import sys
import threading
import time

import pytest
from tradeoff.interview import kept
from tradeoff.interview.kept import Kept


def add(word):
    return lambda content: {**content, "words": [*content["words"], word]}


def words(content):
    if not all(isinstance(each, str) for each in content["words"]):
        raise TypeError("a word is a text")


def open_file(tmp_path):
    return Kept(tmp_path / "own" / "words.json", {"words": []}, check=words)


def test_the_folder_is_that_of_the_progress(monkeypatch, tmp_path):
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "mine" / "progress.json"))
    assert kept.folder() == tmp_path / "mine"


def test_what_is_written_is_read_by_the_next(tmp_path):
    open_file(tmp_path).update(add("one"))
    assert open_file(tmp_path).read() == {"version": 1, "words": ["one"]}


def test_two_at_once_lose_nothing(tmp_path):
    one, other = open_file(tmp_path), open_file(tmp_path)
    one.read(), other.read()
    one.update(add("one"))
    other.update(add("other"))
    assert one.read()["words"] == ["one", "other"]


def test_many_threads_at_once_lose_nothing(tmp_path):
    def write(number):
        for each in range(5):
            open_file(tmp_path).update(add(f"{number}-{each}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(open_file(tmp_path).read()["words"])) == 20


def test_the_version_before_stays_as_backup(tmp_path):
    file = open_file(tmp_path)
    file.update(add("one"))
    file.update(add("two"))
    assert json.loads(file.backup.read_text())["words"] == ["one"]


@pytest.mark.parametrize(
    "broken", ["", "{", "[1]", "{}", '{"version": 1}', '{"version": 1, "words": [3]}', "\x00\xff"]
)
def test_a_broken_file_is_set_aside_and_the_backup_read(tmp_path, broken):
    file = open_file(tmp_path)
    file.update(add("one"))
    file.update(add("two"))
    file.path.write_text(broken, encoding="latin-1")
    again = open_file(tmp_path)
    assert again.read()["words"] == ["one"]
    (aside,) = file.path.parent.glob("words.json.broken-*")
    assert aside.read_text(encoding="latin-1") == broken
    assert str(aside) in again.notes[0]
    again.update(add("three"))
    assert open_file(tmp_path).read()["words"] == ["one", "three"]


def test_a_broken_file_and_a_broken_backup_are_both_kept(tmp_path):
    file = open_file(tmp_path)
    file.update(add("one"))
    file.update(add("two"))
    file.path.write_text("{")
    file.backup.write_text("[")
    again = open_file(tmp_path)
    assert again.update(add("new"))["words"] == ["new"]
    assert len(list(file.path.parent.glob("*.broken-*"))) == len(again.notes) == 2


def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    file = open_file(tmp_path)
    file.update(add("one"))
    later = json.dumps({"version": 2, "vocabulary": {}})
    file.path.write_text(later)
    again = open_file(tmp_path)
    assert again.update(add("mine"))["words"] == ["mine"]
    assert file.path.read_text() == later
    assert "newer version of the course" in again.notes[0]


def test_what_could_not_be_saved_is_saved_with_the_next(tmp_path):
    file = open_file(tmp_path)
    file.update(add("one"))
    file.path.rename(tmp_path / "moved")
    file.backup.unlink(missing_ok=True)
    file.path.mkdir()  # a folder where the file should be
    (file.path / "in the way").touch()
    assert file.update(add("two"))["words"] == ["one", "two"]
    assert file.update(add("three"))["words"] == ["one", "two", "three"]
    assert "kept only until this program ends" in file.notes[0]
    (file.path / "in the way").unlink()
    file.path.rmdir()
    (tmp_path / "moved").rename(file.path)
    file.update(add("four"))
    assert file.notes == []
    assert open_file(tmp_path).read()["words"] == ["one", "two", "three", "four"]


def test_a_deleted_file_comes_back_with_all_that_is_known(tmp_path):
    file = open_file(tmp_path)
    file.update(add("one"))
    file.path.unlink()
    file.update(add("two"))
    assert open_file(tmp_path).read()["words"] == ["one", "two"]


WRITER = """
import sys, pathlib
from tradeoff.interview.kept import Kept
file = Kept(pathlib.Path(sys.argv[1]), {"words": []})
for number in range(int(sys.argv[2]), 10**9):
    file.update(lambda content: {**content, "words": [*content["words"], number]})
    print(number, flush=True)
"""


def test_a_process_killed_while_writing_loses_at_most_what_it_was_writing(tmp_path):
    path, said = tmp_path / "words.json", []
    for kill in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(10_000 * kill)], stdout=subprocess.PIPE
        ) as writer:
            said.append(int(writer.stdout.readline()))  # it writes by now
            time.sleep(0.001 * kill)  # each at another moment
            writer.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            said += map(int, writer.stdout.read().splitlines(keepends=False))
        file = Kept(path, {"words": []})
        found = file.read()["words"]
        assert file.notes == []
        assert found[: len(said)] == said
        assert len(found) - len(said) in (0, 1)  # written, and killed before it said so
        said = found
