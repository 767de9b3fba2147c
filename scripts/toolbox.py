"""What the scripts for coverage, Slither and halmos share: environments of their own, and programs that end with us."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(name: str, packages: list[str]) -> Path:
    """The folder of programs of a Python environment build/NAME with these packages; made when they change."""
    folder = ROOT / "build" / name / "venv"
    done, wanted = folder / ".packages", "\n".join([str(ROOT), sys.version, *packages])
    if not done.exists() or done.read_text() != wanted:
        print(f"Python environment {folder.relative_to(ROOT)}: {', '.join(packages)}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        code, output = run([*pip, *packages], is_captured=True)
        if code:
            raise SystemExit(f"{output}\nerror: pip could not install them; its reason is above")
        done.write_text(wanted)
    return folder / "bin"


def path_with(programs: Path) -> str:
    """A PATH on which the programs are, and forge."""
    if shutil.which("forge"):
        own = []
    else:
        folder = programs.parent.parent / "bin"
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (folder / "forge").symlink_to(ROOT / "scripts" / "forge")
        own = [str(folder)]
    return os.pathsep.join([*own, str(programs), os.environ.get("PATH", os.defpath)])


def run(command: list[str], env: dict[str, str] | None = None, is_captured: bool = False) -> tuple[int, str]:
    """Exit code and, if captured, output and errors. Whatever ends us ends the program and all that it started."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if is_captured else None,
        stderr=subprocess.STDOUT if is_captured else None,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, output or ""


def start(main: Callable[[], int]) -> None:
    """Runs `main` as the program, and ends quietly on Ctrl-C."""
    # started in the background it may have inherited to ignore it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
