"""The checks, as a list of named steps, two at a time. Each says how long it took; the first line of trouble is shown whole."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

FIX = "--fix" in sys.argv
PY = sys.executable
CODE = ["src", "promises", "checks", "journeys", "bench"]
STEPS: list[tuple[str, list[str]]] = [
    ("format", [PY, "-m", "ruff", "format", *([] if FIX else ["--check"]), "--quiet", "."]),
    ("lint", [PY, "-m", "ruff", "check", *(["--fix"] if FIX else []), "--quiet", "."]),
    ("types", [PY, "-m", "mypy", "--no-error-summary"]),
    ("floors", [PY, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]),
    ("words", [PY, "checks/words.py"]),
    ("docs", [PY, "checks/docs.py"]),
    ("languages", [PY, "checks/catalogues.py", *(["--fix"] if FIX else [])]),
    ("announced", [PY, "checks/announced.py"]),
    ("budgets", [PY, "checks/weights.py"]),
]


def tried(step: tuple[str, list[str]]) -> tuple[subprocess.CompletedProcess[str], float]:
    """What a step said, and how many seconds it took."""
    started = time.monotonic()
    return subprocess.run(step[1], capture_output=True, text=True), time.monotonic() - started


def main() -> int:
    failed = []
    with ThreadPoolExecutor(1 if FIX else 2) as side:  # what mends files does so alone
        for (name, _), (done, seconds) in zip(STEPS, side.map(tried, STEPS), strict=True):
            print(f"{'ok ' if done.returncode == 0 else 'NO '} {name:8} {seconds:5.1f} s", flush=True)
            if done.returncode:
                failed.append(name)
                print(done.stdout + done.stderr, flush=True)
    print("all checks hold" if not failed else f"these checks do not hold: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
