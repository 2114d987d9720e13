"""Running programs and saying what they cost. Knows nothing of what is compared."""

import contextlib
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

# What would make a peer, or gather, behave differently from one place to the next.
FOREIGN = ("GATHER_", "MAKE", "MFLAGS", "PARALLEL")


class CannotRun(Exception):
    """Something to be measured is missing or fails; the other rows go on."""


@dataclass
class Cost:
    """Of one process and all that it waited for."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    peak: int  # bytes; not less than the peak of this script, which Linux counts in


def run(argv, stdin=os.devnull, stdout=os.devnull, stderr=os.devnull, at_most=300):
    """Runs a program to its end, which must be good and come within `at_most` seconds."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, create, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, stderr, create, 0o600),
    ]
    start = time.perf_counter()
    try:
        pid = os.posix_spawnp(argv[0], argv, environment, file_actions=streams)
    except OSError as error:
        raise CannotRun(f"{argv[0]}: {error.strerror}") from error
    try:
        signal.alarm(at_most)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        signal.alarm(0)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.wait4(pid, 0)
        raise
    if status != 0:
        raise CannotRun(f"exit status {os.waitstatus_to_exitcode(status)} from {' '.join(argv)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def too_long(*_):
    raise CannotRun("it took too long and was killed")


signal.signal(signal.SIGALRM, too_long)


def answer(argv, folder, **limits):
    """Runs a program that prints JSON as its last line, and gives its Cost and what it printed."""
    path = f"{folder}/answer"
    cost = run(argv, stdout=path, **limits)
    return cost, last_line(path)


def last_line(path):
    with open(path, encoding="utf-8") as file:
        return json.loads(file.read().splitlines()[-1])


@contextlib.contextmanager
def started(argv, stdout):
    """Starts a program and, once the block has ended, waits for its end, which must be good; kills it if the block
    fails. The block gets the first line that it prints."""
    with open(stdout, "w", encoding="utf-8") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not (text := pathlib.Path(stdout).read_text(encoding="utf-8")).endswith("\n"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRun(f"{' '.join(argv)} has not started")
            time.sleep(0.005)
        yield text.splitlines()[0]
        if process.wait(60) != 0:
            raise CannotRun(f"exit status {process.returncode} from {' '.join(argv)}")
    except subprocess.TimeoutExpired as error:
        raise CannotRun(f"{' '.join(argv)} did not end") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def interleaved(contenders, runs, warm_up=True):
    """Calls each of a mapping's functions `runs` times, in rounds, each round in an order of its own, so that what the
    machine does besides strikes all alike. Gives their answers: name -> list, by round."""
    chance = random.Random(1)
    answers = {name: [] for name in contenders}
    if warm_up:
        for call in contenders.values():
            call()  # Not counted: fills caches.
    for _ in range(runs):
        for name in chance.sample(list(contenders), len(contenders)):
            answers[name].append(contenders[name]())
    return answers


def ratios(above, below):
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def median(values):
    return statistics.median(values)


def figure(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def show(label, values, unit=""):
    """One line: lowest, median and highest of several measurements."""
    low, middle, high = (figure(value) for value in (min(values), median(values), max(values)))
    print(f"  {label:<50} {low:>9} {middle:>9} {high:>9} {unit}", flush=True)


def heading(text):
    print(f"\n{text}\n  {'':<50} {'min':>9} {'median':>9} {'max':>9}", flush=True)


class Goals:
    """What was aimed at and what was reached, for the table at the end."""

    def __init__(self):
        self.lines = []

    def at_least(self, what, goal, reached, unit=""):
        self._add(what, "≥", goal, reached, reached >= goal, unit)

    def at_most(self, what, goal, reached, unit=""):
        self._add(what, "≤", goal, reached, reached <= goal, unit)

    def _add(self, what, sign, goal, reached, good, unit):
        suffix = f" {unit}" if unit else ""
        self.lines.append((what, f"{sign} {figure(goal)}{suffix}", f"{figure(reached)}{suffix}", "yes" if good else "no"))

    def failed(self, what, why):
        self.lines.append((what, "runs", why, "no"))

    def table(self):
        rows = [("", "goal", "reached", ""), *self.lines]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
