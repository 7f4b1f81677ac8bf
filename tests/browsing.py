"""JupyterLab on a folder, and Chromium on JupyterLab: what the tests in a browser stand on."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
from tradeoff.interview.sheet.browser import browser

CHROMIUM = browser()
NO_CHROMIUM = "no Chromium: apt-get install chromium (see `tradeoff doctor`)"
FLAGS = [
    "--no-sandbox",  # root in a container
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-precise-memory-info",
]
NO_NEWS = '{"fetchNews": "false", "checkForUpdates": false}'


def wait(condition, seconds, otherwise, pause=0.05):
    """What the condition says once it is true. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, otherwise
        time.sleep(pause)
    return found


@contextmanager
def jupyterlab(folder):
    """The address of JupyterLab on `folder`, on a free port of this machine alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--log-level=CRITICAL"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}"),
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")
    with tempfile.TemporaryDirectory() as own:
        news = Path(own, "@jupyterlab", "apputils-extension", "notification.jupyterlab-settings")
        news.parent.mkdir(parents=True)
        news.write_text(NO_NEWS, encoding="utf-8")
        environment = os.environ | {
            "JUPYTERLAB_SETTINGS_DIR": own,
            "JUPYTERLAB_WORKSPACES_DIR": own,
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        with subprocess.Popen(command, cwd=folder, env=environment) as server:
            try:
                wait(lambda: answers(f"{address}/api"), 60, "JupyterLab does not answer")
                yield address
            finally:
                server.terminate()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_notebook(browser, address, name, height=900):
    """A page on a notebook whose kernel is up; its `wire` notes time, bytes and whether
    a widget is made of each message."""
    page = browser.new_page(viewport={"width": 1360, "height": height})
    page.set_default_timeout(30_000)
    page.wire = []
    page.on("websocket", lambda socket: count(socket, page.wire))
    # A workspace of its own, or JupyterLab would open what other pages had open, too.
    page.goto(f"{address}/lab/workspaces/{Path(name).stem}/tree/{name}")
    # Without a kernel that is up, JupyterLab drops what it is asked to run.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    return page


def close(page):
    """Close the page and end its kernel, which would live on."""
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Shut Down Kernel", exact=True).click()
    page.locator("#jp-main-statusbar").get_by_text("No Kernel").wait_for()
    page.close()


def count(socket, frames):
    for event in ("framesent", "framereceived"):
        socket.on(event, lambda said: frames.append((time.monotonic(), len(said), opens(said))))


def opens(said):
    """Whether a message of the kernel's protocol makes a widget."""
    return (b"comm_open" if isinstance(said, bytes) else "comm_open") in said


def run_all(page, path, seconds=180):
    """Run all cells; the notebook as saved in `path` once each code cell has run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    book = wait(lambda: saved(page, path), seconds, f"{path.name} does not end")
    page.keyboard.press("Control+b")  # room for the notebook
    return book


def saved(page, path):
    """The notebook as saved, once each of its code cells has run; until then None."""
    if page.locator("#jp-main-statusbar").get_by_text("| Idle").count() == 0:
        return None
    page.keyboard.press("Control+s")
    time.sleep(0.5)
    try:
        book = nbformat.read(path, as_version=4)
    except ValueError:  # while it is being written
        return None
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    return book if all(cell.execution_count for cell in code) else None


def scroll_to(page, found, number=0):
    """The located thing, in view: JupyterLab draws a cell when one scrolls there."""

    def there():
        if found.count() > number:
            return True
        page.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollBy(0, 600)")
        return False

    page.locator(".jp-WindowedPanel-outer").evaluate("panel => panel.scrollTo(0, 0)")
    wait(there, 30, f"{found} is not in the page")
    found.nth(number).scroll_into_view_if_needed()
    return found.nth(number)


def set_theme(page, theme):
    """JupyterLab's own Dark or Light, once it is there."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item", has_text="Theme").first.hover()
    page.locator(".lm-Menu-item", has_text=f"JupyterLab {theme}").first.click()
    light = "true" if theme == "Light" else "false"
    wait(lambda: page.evaluate("document.body.dataset.jpThemeLight") == light, 20, f"no {theme}")
