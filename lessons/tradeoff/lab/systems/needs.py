"""What the lab's systems need beside the course's packages: found here, or how to get it.

`lacks` says in a sentence how to get what is missing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from tradeoff import course
from tradeoff.lab.systems.processes import LabError

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tradeoff</groupId><artifactId>lab</artifactId><version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""
DEPENDENCY = """
    <dependency>
      <groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>
    </dependency>"""


class Missing(LabError):
    """A system cannot run here; the message says what to install and what works without it."""


# --- what is here ---------------------------------------------------------------------------------


def lacks(*needs: str) -> str | None:
    """A sentence that says how to get the first of these that is not here; None if all are.

    Parameters
    ----------
    needs : "java", "maven", "uv", "c++", or the import name of a package of the extra `lab`.
    """
    for need in needs:
        if need in FINDERS:
            find, advice = FINDERS[need]
            if find() is None:
                return advice
        elif importlib.util.find_spec(need) is None:
            return f"no {need}: {_extra()}"
    return None


def _extra() -> str:
    """How to get the packages of the extra `lab`."""
    if course.checkout():
        return "python3 lessons/start.py lab"
    wanted = [each for each in metadata.requires("tradeoff") or [] if 'extra == "lab"' in each]
    words = " ".join(f'"{each.partition(";")[0].strip()}"' for each in wanted)
    return f'"{sys.executable}" -m pip install {words}'


def demand(system: str, *needs: str) -> None:
    """Raise Missing when one of these is not here."""
    if advice := lacks(*needs):
        raise Missing(f"{system} cannot run here: {advice}. The other systems still can.")


@cache
def java() -> str | None:
    """Path of a Java 17 or newer, by JAVA_HOME first. The `java` of a Mac without one fails."""
    homes = [os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java"), "java"]
    for found in filter(None, map(shutil.which, homes)):
        said = subprocess.run([found, "-version"], capture_output=True, text=True).stderr
        version = re.search(r'version "(\d+)', said)
        if version and int(version[1]) >= 17:
            return found
    return None


def maven() -> str | None:
    return shutil.which("mvn")


@cache
def uv() -> str | None:
    """Path of uv: in this environment, on the PATH, or where the course's start.py laid it."""
    name = "uv.exe" if os.name == "nt" else "uv"
    own = Path(__file__).resolve().parents[4] / ".uv" / "bin" / name
    here = Path(sysconfig.get_path("scripts")) / name
    return next((str(path) for path in (here, own) if path.is_file()), None) or shutil.which("uv")


def compiler() -> list[str] | None:
    """The words that call a C++ compiler: g++, clang++, or the wheel `ziglang`'s."""
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return [path]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "c++"]
    return None


def _install(debian: str, brew: str, windows: str) -> str:
    how = {"darwin": f"brew install {brew}", "win32": windows}
    return how.get(sys.platform, f"apt-get install {debian}")


FINDERS: dict[str, tuple[Callable[[], object], str]] = {
    "java": (java, "no Java 17+: " + _install("default-jdk", "openjdk", "scoop install openjdk")),
    "maven": (maven, "no Maven: " + _install("maven", "maven", "scoop install maven")),
    "uv": (uv, "no uv: python3 -m pip install uv"),
    "c++": (
        compiler,
        "no C++ compiler: "
        + _install("g++", "gcc", "scoop install gcc")
        + ", or python3 -m pip install ziglang",
    ),
}


# --- what is fetched ------------------------------------------------------------------------------


def script(name: str, *words: str) -> list[str]:
    """The command that runs `programs/NAME` in the environment its own header asks for.

    uv makes that environment the first time and keeps it in its cache; the course's own is not
    touched. Raises Missing without uv.
    """
    demand(name, "uv")
    return [str(uv()), "run", "--quiet", "--no-project", "--script", str(PROGRAMS / name), *words]


def classpath(coordinates: Sequence[str]) -> str:
    """The jars of these Maven coordinates and all they depend on, joined as `java -cp` takes them.

    Maven fetches what its local repository lacks; the answer is kept in the user's cache folder.

    Parameters
    ----------
    coordinates : "group:artifact:version", one a jar.

    Raises Missing without Java or Maven, LabError when Maven cannot fetch them.
    """
    demand("a system on Java", "java", "maven")
    key = hashlib.sha256("\n".join(coordinates).encode()).hexdigest()[:16]
    kept = _cache() / f"classpath-{key}.txt"
    if kept.is_file():
        jars = kept.read_text("utf-8").strip()
        if all(Path(jar).is_file() for jar in jars.split(os.pathsep)):
            return jars
    dependencies = "".join(DEPENDENCY.format(*each.split(":")) for each in coordinates)
    with tempfile.TemporaryDirectory(prefix="tradeoff-") as folder:
        pom = Path(folder, "pom.xml")
        pom.write_text(POM.format(dependencies=dependencies), "utf-8")
        found = Path(folder, "classpath.txt")
        goal = ["dependency:build-classpath", f"-Dmdep.outputFile={found}"]
        command = [str(maven()), "--batch-mode", "--quiet", f"--file={pom}", *goal]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not found.is_file():
            raise LabError(
                f"Maven could not fetch {', '.join(coordinates)}; is the network there?\n"
                + (done.stdout + done.stderr)[-2000:]
            )
        jars = found.read_text("utf-8").strip()
    kept.parent.mkdir(parents=True, exist_ok=True)
    beside = kept.with_suffix(f".{os.getpid()}")
    beside.write_text(jars, "utf-8")
    beside.replace(kept)
    return jars


def _cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(given) if given else Path.home() / ".cache") / "tradeoff"
