"""Job files: what starting costs when there is little to do, and what large ones cost."""

import json
import random

from measure import heading, interleaved, median, run, show
from waits import reported


def start_up(bench):
    contenders = {"an empty program": [bench.program("bench_empty")]}
    for name, task in (("a milestone", "{}"), ("a sleep of 0", "{ sleep: 0 }")):
        path = f"{bench.folder}/{name.replace(' ', '_')}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"tasks:\n  only: {task}\n")
        contenders[f"gather, {name}"] = [bench.gather, "run", path]
    # A run takes milliseconds, so more of them are cheap.
    costs = interleaved({name: lambda argv=argv: run(argv) for name, argv in contenders.items()}, 10 * bench.runs)
    heading("start-up without fetches")
    empty = costs.pop("an empty program")
    show("an empty program, wall", [1000 * cost.wall for cost in empty], "ms")
    show("an empty program, CPU", [1000 * cost.cpu for cost in empty], "ms")
    for name, several in costs.items():
        over = [1000 * (cost.wall - base.wall) for cost, base in zip(several, empty, strict=True)]
        over_cpu = [1000 * (cost.cpu - base.cpu) for cost, base in zip(several, empty, strict=True)]
        show(f"{name}, wall", [1000 * cost.wall for cost in several], "ms")
        show(f"{name}, wall over the empty program's", over, "ms")
        show(f"{name}, CPU over the empty program's", over_cpu, "ms")
        bench.goals.at_most(f"start-up over an empty program's, {name.removeprefix('gather, ')}", 3, median(over), "ms")


def tasks(count):
    """(id, need or None), in file order: two of three need one earlier task."""
    chance = random.Random(count)
    for i in range(count):
        yield f"task{i}", f"task{chance.randrange(i)}" if i % 3 != 0 else None


def write_yaml(path, count):
    with open(path, "w", encoding="utf-8") as file:
        file.write("tasks:\n")
        for name, need in tasks(count):
            file.write(f"  {name}:\n    sleep: 0\n" + (f"    needs: {need}\n" if need else ""))
    return path


def write_json(path, count):
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"tasks": {')
        for i, (name, need) in enumerate(tasks(count)):
            task = {"sleep": 0} | ({"needs": need} if need else {})
            file.write(f"{',' if i else ''}\n  {json.dumps(name)}: {json.dumps(task)}")
        file.write("\n}}\n")
    return path


def large(bench):
    folder, gather = bench.folder, bench.gather
    files = {"YAML": write_yaml(f"{folder}/large.yaml", 100_000), "JSON": write_json(f"{folder}/large.json", 100_000)}
    report = f"{folder}/large_report.json"

    def run_reported():
        run([gather, "run", files["YAML"], "--report", f"json={report}"], stderr=f"{folder}/log")
        return reported(report)[0]

    contenders = {"run, by the report": run_reported}
    for form, path in files.items():
        for command in ("check", "plan", "run"):
            contenders[form, command] = lambda command=command, path=path: run([gather, command, path], stderr=f"{folder}/log")
    answers = interleaved(contenders, bench.runs)
    heading("a job of 100,000 tasks, sleeps of 0")
    walls = {}
    inside = answers.pop("run, by the report")
    for (form, command), costs in answers.items():
        walls[form, command] = [cost.wall for cost in costs]
        show(f"{form}, gather {command}, wall", walls[form, command], "s")
        show(f"{form}, gather {command}, CPU", [cost.cpu for cost in costs], "s")
    peak = [cost.peak / 1e6 for cost in answers["YAML", "run"]]
    show("the run alone, first start to last end", [wall / 1000 for wall in inside], "s")
    show("YAML, gather run, peak memory", peak, "MB")
    bench.goals.at_most("100,000 tasks, YAML: load and check", 1, median(walls["YAML", "check"]), "s")
    bench.goals.at_most("100,000 tasks, YAML: load, check and order", 1, median(walls["YAML", "plan"]), "s")
    bench.goals.at_most("100,000 tasks: the run alone", 1, median(inside) / 1000, "s")
    bench.goals.at_most("100,000 tasks: peak memory", 300, median(peak), "MB")

    if bench.quick:
        return
    million = write_yaml(f"{folder}/million.yaml", 1_000_000)
    cost = run([gather, "run", million], stderr=f"{folder}/log")
    heading("a job of 1,000,000 tasks, once")
    show("YAML, gather run, wall", [cost.wall], "s")
    show("YAML, gather run, CPU", [cost.cpu], "s")
    show("YAML, gather run, peak memory", [cost.peak / 1e6], "MB")
