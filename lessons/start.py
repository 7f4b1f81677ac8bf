"""Open the course, or run its tests, on a machine that has only Python 3.11 or newer and pip.

    python3 lessons/start.py                    open the course in JupyterLab
    python3 lessons/start.py test [ARGS]        run the tests, ARGS go to pytest
    python3 lessons/start.py lab [ARGS]         the lab of real engines: what can run here
    python3 lessons/start.py run COMMAND ...    run a command in the course's environment

Everything lands in this folder: `.venv` has what requirements.lock names, hashes checked, and
`.uv` has uv, the installer, unless the machine has one. Neither the system's Python nor the venv
module is touched, so it works where pip may not install (PEP 668). Delete both to start afresh.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
UV = "uv>=0.8,<1"  # 0.8 was seen to check the hashes of constraints, too
AGAIN = "The reason is above; the same command, given again, goes on from there."


def call(*command, **options):
    """Run a command to its end and return its exit code; Ctrl-C is the command's to answer."""
    with subprocess.Popen([str(part) for part in command], **options) as process:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            return code if code >= 0 else 128 - code


def stop_if(code, advice):
    if code:
        print(f"\nlessons/start.py: {advice}", file=sys.stderr)
        sys.exit(code)


def version(uv):
    """uv's version as numbers, (0, 0) where there is none that runs."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True).stdout
        return tuple(int(number) for number in said.split()[1].split(".")[:2])
    except (OSError, IndexError, ValueError):
        return (0, 0)


def find_uv():
    own = ROOT / ".uv" / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    for uv in (shutil.which("uv"), own):
        if uv and (0, 8) <= version(uv) < (1, 0):
            return uv
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action=ignore"]
    code = call(
        *pip, "--disable-pip-version-check", "--no-user", "--upgrade", "--target", ROOT / ".uv", UV
    )
    stop_if(code, f"pip could not fetch uv. {AGAIN} (No pip? Debian: apt-get install python3-pip.)")
    return own


EXTRAS = ["", " lab", " dev"]  # each holds those before it


def install(extra):
    """Bring `.venv` up to requirements.lock with one of EXTRAS; nothing if it has it."""
    state = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    for name in ("requirements.lock", "pyproject.toml"):
        state.update((ROOT / name).read_bytes())
    enough = [state.hexdigest() + each for each in EXTRAS[EXTRAS.index(extra) :]]
    stamp = VENV / "installed.txt"
    if stamp.is_file() and PYTHON.exists() and stamp.read_text("utf-8") in enough:
        return
    what = {"": "course", " lab": "lab", " dev": "tests"}[extra]
    print(f"Installing the {what} into {VENV} (the first time only) ...", flush=True)
    uv = find_uv()
    make = (uv, "venv", "--quiet", "--relocatable", "--allow-existing")
    stop_if(call(*make, "--python", sys.executable, VENV), f"uv could not make {VENV}. {AGAIN}")
    fill = (
        uv,
        "pip",
        "install",
        "--python",
        PYTHON,
        "--editable",
        f".[{extra.strip()}]" if extra else ".",
    )
    lock = ("--constraints", "requirements.lock", "--build-constraints", "requirements.lock")
    bars = () if sys.stderr.isatty() else ("--quiet",)
    stop_if(call(*fill, *lock, *bars, cwd=ROOT), f"uv could not fill {VENV}. {AGAIN}")
    stamp.write_text(enough[0], "utf-8")


def main(arguments):
    old = sys.version_info < (3, 11)  # noqa: UP036 (the very check)
    stop_if(old, f"the course needs Python 3.11 or newer; {sys.executable} is older.")
    what, *rest = arguments or ["open"]
    if what not in ("open", "test", "lab", "run") or (what == "run" and not rest):
        print(__doc__)
        return 0 if what in ("-h", "--help") else 2
    install({"test": " dev", "lab": " lab"}.get(what, ""))
    if what in ("open", "lab"):
        return call(PYTHON, "-m", "tradeoff.cli", what, *rest)
    if what == "test":
        return call(PYTHON, "-m", "pytest", *rest, cwd=ROOT)
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", "")))
    command = shutil.which(rest[0], path=path)
    missing = f"no command {rest[0]!r} here (jupytext, ruff and the like come with the tests)."
    stop_if(command is None, missing)
    return call(command, *rest[1:], env=os.environ | {"PATH": path})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
