"""Process starts per second: gather against the bare loop and the tools that people use."""

import json
import os

from measure import heading, interleaved, median, ratios, run, show
from coroutines import python_with_uvloop

LEVELS = (8, 2, 64)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def contenders(bench, at_once, count, slow_count):
    """name -> (number of starts, command, standard input, the same command with nothing to start, its input)"""
    folder = bench.folder
    job = write(f"{folder}/starts.yaml", "tasks:\n" + "".join(f'  t{i}: {{ run: ["true"] }}\n' for i in range(count)))
    nothing = write(f"{folder}/nothing.yaml", "tasks:\n  nothing: {}\n")
    targets = " ".join(f"t{i}" for i in range(count))
    makefile = write(f"{folder}/starts.mk", f".PHONY: all {targets}\nall: {targets}\n{targets}:\n\t@true\n")
    empty_makefile = write(f"{folder}/nothing.mk", "all:\n")
    words = write(f"{folder}/words", "".join(f"{i}\n" for i in range(count)))
    few_words = write(f"{folder}/few_words", "".join(f"{i}\n" for i in range(slow_count)))
    loop = bench.program("bench_spawn_loop")
    slots = str(at_once)
    gather = [bench.gather, "run", "-j", slots]
    xargs = ["xargs", f"-P{slots}", "-n1", "-r", "true"]
    parallel = ["env", f"PARALLEL_HOME={folder}", "parallel", "--will-cite", f"-j{slots}", "true", "{}"]
    result = {
        "gather": (count, [*gather, job], os.devnull, [*gather, nothing], os.devnull),
        "bare posix_spawn loop": (count, [loop, str(count), slots, "true"], os.devnull, [loop, "0", slots, "true"], os.devnull),
        "xargs -P": (count, xargs, words, xargs, os.devnull),
        "make -j": (
            count,
            ["make", "-s", f"-j{slots}", "-f", makefile],
            os.devnull,
            ["make", "-s", f"-j{slots}", "-f", empty_makefile],
            os.devnull,
        ),
    }
    if at_once == LEVELS[0]:
        result["GNU parallel"] = (slow_count, parallel, few_words, parallel, os.devnull)
    return result


def process_starts(bench):
    count, slow_count = (500, 100) if bench.quick else (2000, 300)
    for at_once in LEVELS:
        peers = contenders(bench, at_once, count, slow_count)
        log = f"{bench.folder}/log"  # As in CI: what gather says of each task goes to a file.
        calls = {}
        for name, (_, argv, stdin, empty_argv, empty_stdin) in peers.items():
            calls[name] = lambda argv=argv, stdin=stdin: run(argv, stdin=stdin, stderr=log)
            calls[name, "empty"] = lambda argv=empty_argv, stdin=empty_stdin: run(argv, stdin=stdin, stderr=log)
        costs = interleaved(calls, bench.runs)

        heading(f"process starts, {at_once} at once, {count} of them ({slow_count} by GNU parallel)")
        rate, net_rate, cpu = {}, {}, {}
        for name, (number, *_) in peers.items():
            both = list(zip(costs[name], costs[name, "empty"], strict=True))
            rate[name] = [number / whole.wall for whole, _ in both]
            net_rate[name] = [number / (whole.wall - empty.wall) for whole, empty in both]
            cpu[name] = [whole.cpu / number * 1e6 for whole, _ in both]
            show(name, rate[name], "per second")
        for name in peers:
            show(f"{name}, without its start-up", net_rate[name], "per second")
        for name in peers:
            show(f"{name}, CPU with the children's", cpu[name], "µs each")
        for name in peers:
            if name == "gather":
                continue
            show(f"gather / {name}", ratios(rate["gather"], rate[name]))
            show(f"gather / {name}, without start-up", ratios(net_rate["gather"], net_rate[name]))
        to_loop = median(ratios(rate["gather"], rate["bare posix_spawn loop"]))
        if at_once == LEVELS[0]:
            bench.goals.at_least("process starts at 8 at once, of the bare loop's", 0.9, to_loop)
            bench.goals.at_least("process starts at 8 at once, of xargs's", 1, median(ratios(rate["gather"], rate["xargs -P"])))


def subprocesses(bench):
    """core/async against asyncio; what a process costs by itself is the same for all and hides the difference."""
    count, at_once = "200" if bench.quick else "500", "8"
    python = [python_with_uvloop(), f"{bench.here}/subprocesses.py"]
    contenders = {
        "core/async": [bench.program("bench_subprocesses")],
        "asyncio": [*python, "asyncio"],
        "uvloop": [*python, "uvloop"],
    }
    answer = f"{bench.folder}/subprocesses.json"

    def once(argv):
        run([*argv, count, at_once, "/bin/true"], stdout=answer)
        with open(answer, encoding="utf-8") as file:
            return json.load(file)

    answers = interleaved({name: lambda argv=argv: once(argv) for name, argv in contenders.items()}, bench.runs)
    heading(f"{count} subprocesses, {at_once} at once, output captured by communicate()")
    rate, own, total = {}, {}, {}
    for name, several in answers.items():
        rate[name] = [int(count) / each["wall_s"] for each in several]
        own[name] = [each["own_cpu_s"] / int(count) * 1e6 for each in several]
        total[name] = [(each["own_cpu_s"] + each["children_cpu_s"]) / int(count) * 1e6 for each in several]
        show(name, rate[name], "per second")
        show(f"{name}, own CPU", own[name], "µs each")
        show(f"{name}, CPU with the children's", total[name], "µs each")
    for name in ("asyncio", "uvloop"):
        less = ratios(own[name], own["core/async"])
        show(f"core/async / {name}, per second", ratios(rate["core/async"], rate[name]))
        show(f"own CPU of {name} / core/async", less)
        show(f"CPU with the children's of {name} / core/async", ratios(total[name], total["core/async"]))
        bench.goals.at_least(f"subprocesses: own CPU of {name} over ours", 3, median(less))
