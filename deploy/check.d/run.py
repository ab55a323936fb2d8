"""Runs the parts of `deploy/check`, and adds up what they count."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from deployment import DEPLOY, REPOSITORY

# A part that hangs must not hold up CI: the slowest takes about a minute, and more where it installs its tools.
PART_SECONDS_MAX = 2400

# Parts that run side by side. They share no files, and the tools that they share are installed before.
PARTS_AT_ONCE = 2
LONGEST = ("scripts", "cloudformation", "chart")

COUNTS = re.compile(r"^(?:(?P<kind>.+): )?(?P<passed>\d+) passed, (?P<failed>\d+) failed$")


def parts():
    """The program of each part, by its name."""
    found = {path.parent.name: [str(path)] for path in sorted(DEPLOY.glob("*/check")) if os.access(path, os.X_OK)}
    for path in sorted((DEPLOY / "check.d").glob("part_*.py")):
        found[path.stem.removeprefix("part_")] = [sys.executable, str(path)]
    return found


def run(name, program):
    """Runs a part; tells its kinds with their counts, and what else it said."""
    started = time.monotonic()
    program = ["timeout", str(PART_SECONDS_MAX), *program]
    done = subprocess.run(
        program, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    kinds, total, said = {}, None, []
    for line in done.stdout.splitlines():
        counts = COUNTS.match(line)
        if not counts:
            said.append(line)
        elif counts["kind"]:
            kinds[counts["kind"]] = (int(counts["passed"]), int(counts["failed"]))
        else:
            total = (int(counts["passed"]), int(counts["failed"]))
    if not kinds and total:
        kinds = {name: total}
    if total is None or (done.returncode == 0) != (total[1] == 0):
        said.append(f"FAIL {name}: ended with {done.returncode} and said {total}")
        kinds[f"{name} as a whole"] = (0, 1)
    print("\n".join([f"--- {name}: {time.monotonic() - started:.0f} s", *said]), flush=True)
    return kinds


def main():
    known = parts()
    wanted = sys.argv[1:] or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are: {', '.join(known)}")
    # What takes longest begins first.
    first = [name for name in LONGEST if name in wanted]
    order = first + [name for name in wanted if name not in first]
    with ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
        ended = list(pool.map(lambda name: run(name, known[name]), order))
    kinds = {}
    for part in ended:
        for kind, counts in part.items():
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
