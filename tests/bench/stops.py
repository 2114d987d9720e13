"""How runs end: how long it takes from the signal to the end, and what survives it."""

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass

from measure import FOREIGN, CannotRun, heading, show

SHAPES = ("plain", "grandchild", "setsid", "daemonised", "stubborn")
GRACE = 0.2  # seconds, of gather's tasks
PATIENCE = 5  # seconds that a run has to end
AT_ONCE = 5  # Trials; nearly all of each is waiting.


@dataclass
class Event:
    """What strikes: signals, and whom."""

    name: str
    signals: tuple
    target: str  # "group", "runner" or "launcher"


EVENTS = (
    Event("Ctrl-C", (signal.SIGINT,), "group"),
    Event("Ctrl-C twice", (signal.SIGINT, signal.SIGINT), "group"),
    Event("TERM", (signal.SIGTERM,), "runner"),
    Event("HUP", (signal.SIGHUP,), "runner"),
    Event("KILL", (signal.SIGKILL,), "runner"),
    Event("KILL of the launcher", (signal.SIGKILL,), "launcher"),
)


@dataclass
class Ending:
    after: float  # seconds from the last signal to the end of the run and, for gather, of all that it started
    survivors: int


def with_token(token):
    """The processes that have `token` in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if token in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # It has gone.
                continue
    return found


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.002)
    return False


def trial(argv, shape, event):
    """One run of two tasks of this shape, struck once both of them run."""
    token = f"stops-{uuid.uuid4()}".encode()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment["STOPS_TRIAL"] = token.decode()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    process = subprocess.Popen(argv, env=environment, start_new_session=True, **quiet)
    try:
        # Names are cut to 15 characters; what has been started has changed its name by now.
        shaped = lambda: sum(name_of(pid).startswith("child_shape") for pid in with_token(token))
        if not wait_until(lambda: shaped() >= (2 if shape in ("plain", "stubborn") else 4), 20):
            raise CannotRun(f"{argv[0]} does not start its tasks")
        time.sleep(0.05)  # Till they have done what makes their shape.
        struck = strike(process.pid, event, token)
        ended = wait_until(lambda: process.poll() is not None, PATIENCE)
        after = time.monotonic() - struck
        # What gather's other half is about to end is no survivor; when it is the first half's end that we saw, its time
        # counts.
        if ended and wait_until(lambda: not with_token(token), 1.5) and event.name == "KILL":
            after = time.monotonic() - struck
        return Ending(after if ended else PATIENCE, len(with_token(token)))
    finally:
        for pid in with_token(token):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()


def strike(pid, event, token):
    """Sends the signals, and tells when the last one went."""
    for number, sent in enumerate(event.signals):
        if number:
            time.sleep(0.05)
        if event.target == "group":
            os.killpg(pid, sent)
        elif event.target == "runner":
            os.kill(pid, sent)
        else:
            os.kill(next(one for one in with_token(token) if name_of(one) == "gather-launcher"), sent)
    return time.monotonic()


def commands(bench, shape):
    """name -> what runs two tasks of this shape at the same time."""
    folder = f"{bench.folder}/stops_{shape}"
    os.makedirs(folder, exist_ok=True)
    program = os.path.join(bench.build, "tests/support/child_shape")
    files = {
        "gather.yaml": f"defaults: {{ grace: {GRACE} }}\ntasks:\n"
        + "".join(f"  {name}: {{ run: [{program}, {shape}] }}\n" for name in ("one", "two")),
        "words": f"{shape}\n{shape}\n",
        "Makefile": f"all: one two\none two:\n\t@{program} {shape}\n",
        "build.ninja": f"rule run\n  command = {program} {shape}\nbuild one: run\nbuild two: run\n",
    }
    for name, text in files.items():
        pathlib.Path(folder, name).write_text(text, encoding="utf-8")
    words = f"{folder}/words"
    return {
        "gather": [bench.gather, "run", f"{folder}/gather.yaml"],
        "GNU parallel": ["env", f"PARALLEL_HOME={folder}", "parallel", "--will-cite", "-j2", "-a", words, program],
        "xargs": ["xargs", "-P2", "-n1", "-a", words, program],
        "make": ["make", "-s", "-j2", "-C", folder],
        "ninja": ["ninja", "-j2", "-C", folder],
    }


def stops(bench):
    trials = []  # (event, tool, shape, argv)
    for shape in SHAPES:
        for tool, argv in commands(bench, shape).items():
            for event in EVENTS:
                if event.target != "launcher" or tool == "gather":
                    rounds = min(bench.runs, 5) if tool == "gather" else 1
                    trials += [(event, tool, shape, argv)] * rounds
    endings = {}
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for (event, tool, shape, _), ending in zip(trials, pool.map(lambda one: trial(one[3], one[2], one[0]), trials), strict=True):
            endings.setdefault((event.name, tool, shape), []).append(ending)
    tools = list(commands(bench, SHAPES[0]))
    heading(f"from the signal to the end of a run of two tasks, all shapes; gather's grace is {GRACE} s")
    for event in EVENTS:
        for tool in tools:
            found = [one for shape in SHAPES for one in endings.get((event.name, tool, shape), [])]
            if found:
                show(f"{event.name}: {tool}", [one.after for one in found], "s")
    print(f"\nprocesses that survive the run, in the worst trial of {' / '.join(SHAPES)}; '*': it had not ended after {PATIENCE} s")
    print(f"  {'':<24}" + "".join(f"{tool:>24}" for tool in tools))
    for event in EVENTS:
        cells = [survivors(endings, event.name, tool) for tool in tools]
        print(f"  {event.name:<24}" + "".join(f"{cell:>24}" for cell in cells))
    ours = {event.name: [one for shape in SHAPES for one in endings[event.name, "gather", shape]] for event in EVENTS}
    for name, found in ours.items():
        at_most = 0.25 if name == "Ctrl-C twice" else GRACE + 0.25
        bench.goals.at_most(f"{name}: the last trial has ended", at_most, max(one.after for one in found), "s")
    bench.goals.at_most("what survives a run", 0, sum(one.survivors for found in ours.values() for one in found))


def survivors(endings, event, tool):
    """Of each shape."""
    cells = []
    for shape in SHAPES:
        found = endings.get((event, tool, shape))
        if not found:
            return ""
        unended = any(one.after >= PATIENCE for one in found)
        cells.append(f"{max(one.survivors for one in found)}{'*' if unended else ''}")
    return " / ".join(cells)
