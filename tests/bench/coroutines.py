"""What coroutines cost: core/async beside asyncio and uvloop, each row against the better of the two, round by round."""

import contextlib
import os
import pathlib
import subprocess
import sys

from measure import CannotRun, answer, heading, interleaved, last_line, median, ratios, run, show, started

PEERS = ("asyncio", "uvloop")
OURS = "core/async"


def python_with_uvloop():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import uvloop"], stderr=subprocess.DEVNULL).returncode == 0:
            return python
    raise CannotRun("no python3 here has uvloop; Debian's package is python3-uvloop")


def commands(bench, name, peers=PEERS):
    """The program `name` in C++ and in Python: contender -> the beginning of its command."""
    python = [python_with_uvloop(), "-B", f"{bench.here}/{name}.py"]
    return {OURS: [bench.program(f"bench_{name}")]} | {peer: [*python, peer] for peer in peers}


def measured(contenders, measure, runs, warm_up=True):
    """`measure(command)` of each, interleaved."""
    calls = {name: lambda command=command: measure(command) for name, command in contenders.items()}
    return interleaved(calls, runs, warm_up)


def pick(answers, value):
    """The same figure out of each answer."""
    return {name: [value(each) for each in several] for name, several in answers.items()}


def show_each(label, figures, unit, factor=1):
    for name, values in figures.items():
        show(f"{name}, {label}", [factor * value for value in values], unit)


def times_less(figures):
    """What the better peer of each round needs over what we need."""
    peers = [values for name, values in figures.items() if name != OURS]
    return ratios([min(values) for values in zip(*peers, strict=True)], figures[OURS])


def aim(bench, what, goal, figures):
    less = times_less(figures)
    show(f"better peer / {OURS}", less)
    bench.goals.at_least(f"{what}, better peer over ours", goal, median(less))


def semaphore(bench):
    """Python needs 10 to 20 s for a million, so there are few rounds.

    Each measurement follows a run of the same program that is not counted. A virtual machine returns what is free to its
    host, and a page that has to come from there again costs ten times as much: the 300 MB of ours took 0.05 s of the kernel
    in a second run in a row, and 0.7 s after the end of anything else that is large.
    """
    count, permits, rounds = (100_000 if bench.quick else 1_000_000), "1000", min(bench.runs, 3)
    contenders = commands(bench, "semaphore")

    def second_run(command, yields):
        arguments = [*command, str(count), permits, yields]
        run(arguments)
        return run(arguments)

    for yields, goal, what in (("0", 35, "no-ops"), ("1", 60, "zero sleeps")):
        costs = measured(contenders, lambda command, y=yields: second_run(command, y), rounds, warm_up=False)
        heading(f"{count:,} {what} through gather and a semaphore of 1,000 ({rounds} rounds)")
        cpu = pick(costs, lambda cost: cost.cpu)
        show_each("CPU", cpu, "ms", 1000)
        show_each("wall", pick(costs, lambda cost: cost.wall), "ms", 1000)
        show_each("peak memory", pick(costs, lambda cost: cost.peak), "MB", 1e-6)
        aim(bench, f"{count:,} {what} through a semaphore: CPU", goal, cpu)


def sleepers(bench):
    rounds = min(bench.runs, 5)
    answers = measured(
        commands(bench, "sleepers"),
        lambda command: answer([*command, "100000", "1000", "1000"], bench.folder),
        rounds,
    )
    heading(f"100,000 sleeps of 1 s at the same time ({rounds} rounds)")
    wall = pick(answers, lambda each: each[0].wall)
    cpu = pick(answers, lambda each: each[0].cpu)
    memory = pick(answers, lambda each: each[1]["bytes_per_task"])
    show_each("wall", wall, "s")
    show_each("CPU", cpu, "ms", 1000)
    aim(bench, "100,000 sleeps: CPU", 40, cpu)
    show_each("memory", memory, "bytes per task")
    aim(bench, "100,000 sleeps: memory of each", 5, memory)
    bench.goals.at_most("100,000 sleeps of 1 s, whole process", 1.05, median(wall[OURS]), "s")


def lateness(bench):
    rounds = min(bench.runs, 5)
    answers = measured(
        commands(bench, "sleepers"), lambda command: answer([*command, "10000", "100", "2000"], bench.folder)[1], rounds
    )
    heading(f"10,000 sleeps of 0.1 to 2 s at the same time ({rounds} rounds)")
    late = pick(answers, lambda each: each["late_p99_ms"])
    early = pick(answers, lambda each: each["early"])
    show_each("99 of 100 are late by at most", late, "ms")
    show_each("the latest", pick(answers, lambda each: each["late_max_ms"]), "ms")
    show_each("too early", early, "sleeps")
    bench.goals.at_most("10,000 sleeps: lateness, 99 of 100", 1.5, median(late[OURS]), "ms")
    bench.goals.at_most("10,000 sleeps: too early", 0, max(early[OURS]))


def awaits(bench):
    contenders = commands(bench, "awaits")

    def once(command):
        awaits = "10000000" if command is contenders[OURS] else "1000000"
        return answer([*command, awaits, "100000"], bench.folder)[1]

    answers = measured(contenders, once, bench.runs)
    heading("the smallest steps, CPU of each")
    leaf = pick(answers, lambda each: each["await_ns"])
    cancel = pick(answers, lambda each: each["cancel_us"])
    show_each("await of a coroutine that does not suspend", leaf, "ns")
    show_each("cancel of a sleeping task, to its end", cancel, "µs")
    bench.goals.at_most("await of a coroutine that does not suspend", 12, median(leaf[OURS]), "ns")
    bench.goals.at_most("cancel of a sleeping task, to its end", 2, median(cancel[OURS]), "µs")


@contextlib.contextmanager
def on_one_processor():
    """What is started in the block shares one processor, so waking the other side interrupts none: on a virtual machine
    that costs more than the rest of a round trip."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def echo(bench):
    """Server and client in a process each, of the same kind. asyncio's own loop is left out: uvloop's is faster.

    A bare epoll program shows what is the system's part of it, which nobody can go below."""
    contenders = commands(bench, "echo", ("uvloop",)) | {"bare epoll": [bench.program("bench_echo_floor")]}
    few = min(bench.runs, 5)
    for title, kind, place, connections, trips, rounds in (
            ("100 TCP connections", "TCP", contextlib.nullcontext, 100, 200, bench.runs),
            ("100 TCP connections, one processor", "TCP", on_one_processor, 100, 200, bench.runs),
            ("100 Unix connections, one processor", "Unix", on_one_processor, 100, 200, bench.runs),
            ("1 TCP connection", "TCP", contextlib.nullcontext, 1, 5000, few)):

        def once(command, kind=kind, place=place, connections=str(connections), trips=str(trips)):
            path = pathlib.Path(bench.folder, "echo.socket")
            path.unlink(missing_ok=True)
            said = f"{bench.folder}/server"
            with place(), started([*command, "server", connections, *([path] if kind == "Unix" else [])], said) as where:
                cost, client = answer([*command, "client", connections, trips, where], bench.folder)
            return client["cpu_s"] + last_line(said)["cpu_s"], cost.wall

        answers = measured(contenders, once, rounds)
        total = connections * trips
        heading(f"{total:,} echo round trips of 64 bytes on {title} ({rounds} rounds)")
        cpu = pick(answers, lambda each: each[0])
        show_each("CPU of both sides", cpu, "µs per trip", 1e6 / total)
        show_each("wall, with the client's start", pick(answers, lambda each: each[1]), "s")
        bare = cpu.pop("bare epoll")
        show(f"{OURS} / bare epoll", ratios(cpu[OURS], bare))
        show("uvloop / bare epoll", ratios(cpu["uvloop"], bare))
        if connections > 1:
            aim(bench, f"echo on {title}: CPU", 3, cpu)
        else:
            show(f"uvloop / {OURS}", times_less(cpu))


def pipeline(bench):
    """Without peers: Python needs gigabytes."""
    count = 100_000 if bench.quick else 1_000_000
    rounds = min(bench.runs, 5)
    command = [bench.program("bench_pipeline"), str(count), "1000"]
    answers = interleaved({OURS: lambda: answer(command, bench.folder)}, rounds)[OURS]
    heading(f"{count:,} tasks at once, each between two queues of 1,000 ({rounds} rounds)")
    show("tasks that waited at the same time", [inside["waiting"] for _, inside in answers])
    show("wall", [cost.wall for cost, _ in answers], "s")
    show("CPU", [cost.cpu for cost, _ in answers], "s")
    show("peak memory", [cost.peak / 1e6 for cost, _ in answers], "MB")
    size = [inside["bytes_per_task"] for _, inside in answers]
    show("memory", size, "bytes per task")
    bench.goals.at_most(f"{count:,} tasks on a queue pipeline: memory of each", 400, median(size), "bytes")
