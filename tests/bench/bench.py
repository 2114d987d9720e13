#!/usr/bin/env python3
"""Measures gather beside its peers and prints every figure, then what was aimed at and what was reached.

A goal that is missed is printed, not an error; the exit status is 1 only if something could not be run.
"""

import argparse
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True  # Nothing of ours is left in the source tree.

from coroutines import awaits, echo, lateness, pipeline, semaphore, sleepers
from fetches import fetch
from jobs import large, start_up
from measure import CannotRun, Goals
from outputs import outputs
from starts import process_starts, subprocesses
from stops import stops
from waits import limits

ROWS = {
    "starts": process_starts,
    "outputs": outputs,
    "subprocesses": subprocesses,
    "stops": stops,
    "semaphore": semaphore,
    "sleepers": sleepers,
    "lateness": lateness,
    "awaits": awaits,
    "echo": echo,
    "pipeline": pipeline,
    "start-up": start_up,
    "limits": limits,
    "large": large,
    "fetch": fetch,
}


class Bench:
    """What the rows need: where the programs are, how often to measure, a folder that goes away, the goals."""

    def __init__(self, build, runs, quick, folder):
        self.here = os.path.dirname(os.path.abspath(__file__))
        self.build = os.path.abspath(build)
        self.gather = f"{self.build}/cmd/gather"
        self.runs = runs
        self.quick = quick
        self.folder = folder
        self.goals = Goals()

    def program(self, name):
        return f"{self.build}/tests/bench/{name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", help="a build folder, such as build/release")
    parser.add_argument("--runs", type=int, default=9, help="measurements of each, of long ones fewer (9)")
    parser.add_argument("--only", action="append", choices=ROWS, help="this row alone; can be repeated")
    parser.add_argument("--quick", action="store_true", help="3 runs, less work in each, no million tasks")
    parser.add_argument("--real-time", action="store_true", help="go before all else on this machine; needs root")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs: at least 1")
    if options.real_time:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except PermissionError:
            parser.error("--real-time needs root")
    runs = 3 if options.quick else options.runs

    folder = tempfile.mkdtemp(prefix="gather-bench-")
    could_not = False
    try:
        bench = Bench(options.build, runs, options.quick, folder)
        print(f"{runs} rounds of each comparison, interleaved; ratios are taken round by round.", flush=True)
        for name in options.only or ROWS:
            try:
                ROWS[name](bench)
            except CannotRun as problem:
                could_not = True
                bench.goals.failed(name, f"could not run: {problem}")
                print(f"{name} could not run: {problem}", flush=True)
        print("\n" + bench.goals.table())
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if could_not else 0


if __name__ == "__main__":
    sys.exit(main())
