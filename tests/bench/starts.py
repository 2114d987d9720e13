"""Process starts per second: gather against the bare loop and the tools that people use."""

import json
import os

from measure import heading, interleaved, median, ratios, run, show
from coroutines import python_with_uvloop

LEVELS = (8, 2, 64)
GOALS = {2: 0.85, 8: 0.9, 64: 0.9}  # Of the bare loop's starts per second.
CAPTURING = ("ninja", "make -O", "GNU parallel")  # Keep what each process writes together, as gather does.


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def contenders(bench, at_once, count, slow_count):
    """name -> (number of starts, command, standard input, the same command with nothing to start, its input)"""
    folder = bench.folder
    job = write(f"{folder}/starts{count}.yaml", "tasks:\n" + "".join(f'  t{i}: {{ run: ["true"] }}\n' for i in range(count)))
    nothing = write(f"{folder}/nothing.yaml", "tasks:\n  nothing: {}\n")
    targets = " ".join(f"t{i}" for i in range(count))
    makefile = write(f"{folder}/starts.mk", f".PHONY: all {targets}\nall: {targets}\n{targets}:\n\t@true\n")
    empty_makefile = write(f"{folder}/nothing.mk", "all:\n")
    rule = "rule run\n  command = true\n"
    ninja = write(f"{folder}/starts.ninja", rule + "".join(f"build t{i}: run\n" for i in range(count)))
    empty_ninja = write(f"{folder}/nothing.ninja", rule + "build nothing: phony\ndefault nothing\n")
    words = write(f"{folder}/words", "".join(f"{i}\n" for i in range(count)))
    few_words = write(f"{folder}/few_words", "".join(f"{i}\n" for i in range(slow_count)))
    loop = bench.program("bench_spawn_loop")
    slots = str(at_once)
    gather = [bench.gather, "run", "-j", slots]
    xargs = ["xargs", f"-P{slots}", "-n1", "-r", "true"]
    parallel = ["env", f"PARALLEL_HOME={folder}", "parallel", "--will-cite", f"-j{slots}", "true", "{}"]

    def make(*flags):
        call = ["make", "-s", f"-j{slots}", *flags, "-f"]
        return count, [*call, makefile], os.devnull, [*call, empty_makefile], os.devnull

    ninja_call = ["ninja", f"-j{slots}", "-C", folder, "-f"]
    result = {
        "gather": (count, [*gather, job], os.devnull, [*gather, nothing], os.devnull),
        "bare posix_spawn loop": (count, [loop, str(count), slots, "true"], os.devnull, [loop, "0", slots, "true"], os.devnull),
        "xargs -P": (count, xargs, words, xargs, os.devnull),
        "make -j": make(),
        "make -O": make("-O"),
        "ninja": (count, [*ninja_call, ninja], os.devnull, [*ninja_call, empty_ninja], os.devnull),
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
        beside_the_loop(bench, at_once)
        for peer in CAPTURING:
            if peer in rate:
                ahead = median(ratios(rate["gather"], rate[peer]))
                bench.goals.at_least(f"process starts, {at_once} at once, of {peer}'s", 1, ahead)
        if at_once == LEVELS[0]:
            bench.goals.at_least("process starts, 8 at once, of xargs's", 1, median(ratios(rate["gather"], rate["xargs -P"])))
    sleeping(bench, 400 if bench.quick else 4000)


def beside_the_loop(bench, at_once):
    """The two whose difference is a goal, by themselves: in short runs and many rounds, since what a machine does besides
    changes within a round of all contenders by more than the difference."""
    count, rounds = 500, 2 if bench.quick else 6 * bench.runs
    names = ("gather", "bare posix_spawn loop")
    calls = {}
    for starts in (count, 1):
        peers = contenders(bench, at_once, starts, 0)
        for name in names:
            calls[name, starts] = lambda argv=peers[name][1]: run(argv, stderr=f"{bench.folder}/log")
    costs = interleaved(calls, rounds)
    rate, cpu = {}, {}
    for name in names:
        both = list(zip(costs[name, count], costs[name, 1], strict=True))
        rate[name] = [(count - 1) / (many.wall - one.wall) for many, one in both]
        cpu[name] = [(many.cpu - one.cpu) / (count - 1) * 1e6 for many, one in both]
    heading(f"process starts, {at_once} at once, the two alone: {rounds} rounds of {count}, less the cost of one")
    to_loop = ratios(*(rate[name] for name in names))
    over = [ours - loop for ours, loop in zip(*(cpu[name] for name in names), strict=True)]
    show("gather / bare posix_spawn loop", to_loop)
    show("CPU of gather over the bare loop's", over, "µs each")
    bench.goals.at_least(f"process starts, {at_once} at once, of the bare loop's", GOALS[at_once], median(to_loop))
    bench.goals.at_most(f"process starts, {at_once} at once, CPU over the bare loop's", 60, median(over), "µs")


def sleeping(bench, count):
    """As many processes at once as a machine of many cores would have: each sleeps for a second."""
    job = write(f"{bench.folder}/sleeping.yaml", "tasks:\n" + "".join(f'  t{i}: {{ run: ["sleep", "1"] }}\n' for i in range(count)))
    slots = str(count)
    calls = {
        "gather": lambda: run([bench.gather, "run", "-j", slots, job], stderr=f"{bench.folder}/log"),
        "bare posix_spawn loop": lambda: run([bench.program("bench_spawn_loop"), slots, slots, "sleep", "1"]),
    }
    costs = interleaved(calls, min(bench.runs, 5))
    heading(f"{count:,} processes at once, each `sleep 1`")
    for name, each in costs.items():
        show(f"{name}, wall", [cost.wall for cost in each], "s")
        show(f"{name}, CPU with the children's", [cost.cpu for cost in each], "s")
    ours, loop = costs["gather"], costs["bare posix_spawn loop"]
    for what in ("wall", "cpu"):
        ratio = ratios([getattr(cost, what) for cost in ours], [getattr(cost, what) for cost in loop])
        show(f"gather / bare posix_spawn loop, {what}", ratio)
        bench.goals.at_most(f"{count:,} sleeping processes, {what} over the bare loop's", 1.2, median(ratio))


def subprocesses(bench):
    """core/async beside asyncio and uvloop. What a process costs by itself is the same for all and hides the difference:
    so it is a program that is next to nothing, and /bin/true beside it for comparison. The bare loop shows what is left to
    win: nobody starts more than that."""
    for program, label in ((bench.program("bench_nothing"), "of the smallest program"), ("/bin/true", "of /bin/true")):
        rate, own, total = subprocess_costs(bench, program, label)
        bare = rate.pop("bare posix_spawn loop")
        show("core/async / bare posix_spawn loop, per second", ratios(rate["core/async"], bare))
        peers = [values for name, values in rate.items() if name != "core/async"]
        show("bare posix_spawn loop / better peer, per second", ratios(bare, [max(each) for each in zip(*peers, strict=True)]))
        to_better = ratios(rate["core/async"], [max(values) for values in zip(*peers, strict=True)])
        show("core/async / better peer, per second", to_better)
        if program != "/bin/true":
            bench.goals.at_least("subprocesses started per second, ours over the better peer's", 3, median(to_better))
        for name in ("asyncio", "uvloop"):
            show(f"own CPU of {name} / core/async", ratios(own[name], own["core/async"]))
            show(f"CPU with the children's of {name} / core/async", ratios(total[name], total["core/async"]))


def subprocess_costs(bench, program, label):
    """Measures and shows. Returns starts per second, own CPU and CPU with the children's, of each contender."""
    count, at_once = "200" if bench.quick else "500", "8"
    python = [python_with_uvloop(), f"{bench.here}/subprocesses.py"]
    contenders = {
        "core/async": [bench.program("bench_subprocesses")],
        "asyncio": [*python, "asyncio"],
        "uvloop": [*python, "uvloop"],
    }
    answer = f"{bench.folder}/subprocesses.json"

    def once(argv):
        run([*argv, count, at_once, program], stdout=answer)
        with open(answer, encoding="utf-8") as file:
            return json.load(file)

    def bare():
        cost = run([bench.program("bench_spawn_loop"), count, at_once, program])
        return {"wall_s": cost.wall, "own_cpu_s": 0, "children_cpu_s": cost.cpu}  # Not told apart.

    calls = {name: lambda argv=argv: once(argv) for name, argv in contenders.items()}
    answers = interleaved(calls | {"bare posix_spawn loop": bare}, bench.runs)
    heading(f"{count} subprocesses {label}, {at_once} at once, output captured by communicate()")
    rate, own, total = {}, {}, {}
    for name, several in answers.items():
        rate[name] = [int(count) / each["wall_s"] for each in several]
        own[name] = [each["own_cpu_s"] / int(count) * 1e6 for each in several]
        total[name] = [(each["own_cpu_s"] + each["children_cpu_s"]) / int(count) * 1e6 for each in several]
        show(name, rate[name], "per second")
        if any(own[name]):
            show(f"{name}, own CPU", own[name], "µs each")
        show(f"{name}, CPU with the children's", total[name], "µs each")
    return rate, own, total
