"""Waiting: how close to its bound a run comes."""

import re

from measure import heading, interleaved, median, run, show


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
