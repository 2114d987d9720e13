"""Waiting: coroutines against asyncio, many sleepers, and how close to its bound a run comes."""

import json
import re
import sys
from subprocess import DEVNULL, run as run_quietly

from measure import CannotRun, heading, interleaved, median, ratios, run, show


def python_with_uvloop():
    for python in (sys.executable, "/usr/bin/python3"):
        if run_quietly([python, "-c", "import uvloop"], stderr=DEVNULL).returncode == 0:
            return python
    raise CannotRun("no python3 here has uvloop; Debian's package is python3-uvloop")


def semaphore(bench):
    count, permits = "100000", "1000"
    python = [python_with_uvloop(), f"{bench.here}/semaphore.py"]
    contenders = {
        "core/async": [bench.program("bench_semaphore"), count, permits],
        "asyncio": [*python, "asyncio", count, permits],
        "uvloop": [*python, "uvloop", count, permits],
    }
    costs = interleaved({name: lambda argv=argv: run(argv) for name, argv in contenders.items()}, bench.runs)
    heading("100,000 zero sleeps through a semaphore of 1,000")
    cpu = {name: [cost.cpu for cost in several] for name, several in costs.items()}
    for name, several in costs.items():
        show(f"{name}, CPU", [1000 * value for value in cpu[name]], "ms")
        show(f"{name}, wall", [1000 * cost.wall for cost in several], "ms")
        show(f"{name}, peak memory", [cost.peak / 1e6 for cost in several], "MB")
    for name in ("asyncio", "uvloop"):
        less = ratios(cpu[name], cpu["core/async"])
        show(f"CPU of {name} / core/async", less)
        bench.goals.at_least(f"semaphore: CPU of {name} over ours", 20, median(less))


def sleepers(bench):
    answer = f"{bench.folder}/sleepers.json"

    def once():
        cost = run([bench.program("bench_sleepers"), "100000", "1000"], stdout=answer)
        with open(answer, encoding="utf-8") as file:
            return cost, json.load(file)

    answers = interleaved({"sleepers": once}, bench.runs)["sleepers"]
    heading("100,000 sleeps of 1 s at the same time")
    wall = [cost.wall for cost, _ in answers]
    size = [inside["bytes_per_task"] for _, inside in answers]
    show("wall, the whole process", wall, "s")
    show("wall, first coroutine made to last one ended", [inside["wall_ms"] / 1000 for _, inside in answers], "s")
    show("CPU", [1000 * cost.cpu for cost, _ in answers], "ms")
    show("memory", size, "bytes per task")
    bench.goals.at_most("100,000 sleeps of 1 s, whole process", 1.05, median(wall), "s")
    bench.goals.at_most("memory of a sleeping task", 500, median(size), "bytes")


def reported(path):
    """Wall and lower bound, in ms, from the head of a report; the tasks after it may be many."""
    with open(path, encoding="utf-8") as file:
        head = file.read(16 * 1024)
    number = r"([0-9.]+)"
    return (
        float(re.search(rf'"wall_ms": {number}', head)[1]),
        float(re.search(rf'"bound": {{\s*"ms": {number}', head)[1]),
    )


def limits(bench):
    """A run's wall over what its limits and lengths allow."""
    folder = bench.folder
    with open(f"{folder}/calls.yaml", "w", encoding="utf-8") as file:
        file.write("tasks:\n" + "".join(f"  call{i}: {{ sleep: 10ms }}\n" for i in range(1000)))
    with open(f"{folder}/three.yaml", "w", encoding="utf-8") as file:
        file.write("tasks:\n  one: { sleep: 2s }\n  two: { sleep: 2s }\n  three: { sleep: 2s }\n")

    def once(name, *flags):
        report = f"{folder}/{name}.json"
        run([bench.gather, "run", f"{folder}/{name}.yaml", *flags, "--report", f"json={report}"])
        return reported(report)

    contenders = {"calls": lambda: once("calls", "-j", "50"), "three": lambda: once("three")}
    answers = interleaved(contenders, bench.runs)
    heading("wall of a run over what is possible")
    calls = [wall / 200 for wall, _ in answers["calls"]]
    show("1,000 sleeps of 10 ms, -j 50, wall", [wall for wall, _ in answers["calls"]], "ms")
    show("1,000 sleeps of 10 ms, -j 50, wall / 200 ms", calls)
    three = [wall / bound for wall, bound in answers["three"]]
    show("three waits of 2 s, wall", [wall for wall, _ in answers["three"]], "ms")
    show("three waits of 2 s, wall / lower bound", three)
    bench.goals.at_most("1,000 sleeps of 10 ms at -j 50, over 200 ms", 1.03, median(calls))
    bench.goals.at_most("three waits of 2 s, over the lower bound", 1.01, median(three))
