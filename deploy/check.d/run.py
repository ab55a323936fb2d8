"""Runs the parts of `deploy/check` one after another, and adds up what they count."""

import os
import re
import subprocess
import sys
import time

from deployment import DEPLOY, REPOSITORY

# A part that hangs must not hold up CI: the slowest takes about a minute, and more where it installs its tools.
PART_SECONDS_MAX = 1200

COUNTS = re.compile(r"^(?:(?P<kind>.+): )?(?P<passed>\d+) passed, (?P<failed>\d+) failed$")


def parts():
    """The program of each part, by its name."""
    found = {path.parent.name: [str(path)] for path in sorted(DEPLOY.glob("*/check")) if os.access(path, os.X_OK)}
    for path in sorted((DEPLOY / "check.d").glob("part_*.py")):
        found[path.stem.removeprefix("part_")] = [sys.executable, str(path)]
    return found


def run(name, program):
    """Runs a part; tells its kinds with their counts, and whether its word can be taken."""
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    program = ["timeout", str(PART_SECONDS_MAX), *program]
    process = subprocess.Popen(program, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    kinds, total = {}, None
    for line in process.stdout:
        counts = COUNTS.match(line.rstrip("\n"))
        if not counts:
            print(line, end="", flush=True)
        elif counts["kind"]:
            kinds[counts["kind"]] = (int(counts["passed"]), int(counts["failed"]))
        else:
            total = (int(counts["passed"]), int(counts["failed"]))
    status = process.wait()
    if not kinds and total:
        kinds = {name: total}
    if total is None or (status == 0) != (total[1] == 0):
        print(f"FAIL {name}: ended with {status} and said {total}")
        kinds[f"{name} as a whole"] = (0, 1)
    print(f"--- {name}: {time.monotonic() - started:.0f} s", flush=True)
    return kinds


def main():
    known = parts()
    wanted = sys.argv[1:] or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are: {', '.join(known)}")
    kinds = {}
    for name in wanted:
        for kind, counts in run(name, known[name]).items():
            # Several parts have checks of one kind.
            kinds[kind] = tuple(map(sum, zip(kinds.get(kind, (0, 0)), counts, strict=True)))
    print()
    for kind, (passed, failed) in kinds.items():
        print(f"{kind:<44} {passed:>5} passed {failed:>3} failed")
    passed = sum(counts[0] for counts in kinds.values())
    failed = sum(counts[1] for counts in kinds.values())
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
