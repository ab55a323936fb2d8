"""Checks a built scaler against SQS servers that others wrote, with gRPC clients that others wrote.

    python tests/foreign/scaler.py --sluice target/debug/sluice --buf path/to/buf

Runs every case against moto and ministack, which must be installed beside this Python
(requirements-grpc.txt). Prints a line for each case and closes with `N passed, N failed, N skipped`.
"""

import argparse
import signal
import sys
import time
import traceback
from pathlib import Path

import scaler_buf  # noqa: F401  the modules of cases add theirs to CASES
import scaler_numbers  # noqa: F401
import scaler_outages  # noqa: F401
import scaler_protocol  # noqa: F401
from scaler_processes import Ministack, Moto, Scaler
from scaler_world import CASES, EAGER, World

RUN_SECONDS_MAX = 15 * 60


def main():
    tools = arguments()
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, leave)
    signal.alarm(RUN_SECONDS_MAX)
    outcomes = []
    for emulator in (Moto, Ministack):
        with emulator(tools.bin_folder) as sqs, Scaler(tools.sluice, *EAGER) as scaler:
            with World(sqs, scaler, tools) as world:
                outcomes += [outcome(case, world) for case in chosen(tools.only)]
    passed, failed, skipped = (outcomes.count(word) for word in ("ok", "FAILED", "skip"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if passed and not failed else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", type=existing, required=True, help="the scaler's binary")
    parser.add_argument("--buf", type=existing, required=True, help="buf's binary")
    parser.add_argument("--only", default="", help="run the cases with this text in their name")
    tools = parser.parse_args()
    tools.bin_folder = Path(sys.prefix, "bin")
    return tools


def existing(text):
    path = Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no file at {path}")
    return path


def chosen(text):
    return [case for case in CASES if text in case.__name__]


def outcome(case, world):
    """Runs one case and prints its line: `ok`, `FAILED` or `skip`."""
    started, told = time.monotonic(), ""
    try:
        skipped = case(world)
        word, told = ("skip", f": {skipped}") if skipped else ("ok", "")
    except Exception:
        word, told = "FAILED", f"\n{traceback.format_exc()}{world.scaler.log_end()}"
    name = case.__name__.replace("_", " ")
    seconds = time.monotonic() - started
    print(f"{word:<6} {world.emulator.name:<9} {name} ({seconds:.1f} s){told}", flush=True)
    return word


def leave(number, _):
    """Leaves through every context manager, so that each ends its process."""
    sys.exit(f"stopped by {signal.Signals(number).name}; SIGALRM comes after {RUN_SECONDS_MAX} s")


if __name__ == "__main__":
    sys.exit(main())
