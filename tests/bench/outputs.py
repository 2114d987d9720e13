"""What it costs that the output of a program goes through gather: 1 GB of one child, into a file and into a pipe."""

import os

from measure import heading, interleaved, median, ratios, run, show


def outputs(bench):
    size = 200_000_000 if bench.quick else 1_000_000_000
    writer = f"head -c {size} /dev/zero"  # Without one newline: what is hardest to keep in lines.
    lines = f"yes 'a line of the usual length, which a compiler or a test may print' | head -c {size}"
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else bench.folder
    into = f"{memory}/gather-bench-out-{os.getpid()}"
    gather = f"{bench.gather} each --output stream --shell"
    try:
        for kind, script in (("without newlines", writer), ("in lines", lines)):
            calls = {}
            for where, redirect in (("file", f"> {into}"), ("pipe", "| cat > /dev/null")):
                quoted = script.replace("'", "'\\''")
                calls["cat", where] = lambda s=script, r=redirect: run(["sh", "-c", f"{{ {s}; }} | cat {r}"])
                calls["gather", where] = lambda q=quoted, r=redirect: run(["sh", "-c", f"{gather} ': {{}}; {q}' ::: 1 {r}"])
            costs = interleaved(calls, min(bench.runs, 5))
            heading(f"{size / 1e9:g} GB from one child, {kind}, --output stream; {min(bench.runs, 5)} rounds")
            for where in ("file", "pipe"):
                for name in ("gather", "cat"):
                    show(f"{name}, into a {where}", [cost.wall for cost in costs[name, where]], "s")
                    show(f"{name}, into a {where}, CPU in all", [cost.cpu for cost in costs[name, where]], "s")
                walls = ratios([c.wall for c in costs["gather", where]], [c.wall for c in costs["cat", where]])
                show(f"gather / cat, into a {where}", walls)
                bench.goals.at_most(f"1 GB {kind} into a {where}, of cat's wall", 1.3, median(walls))
    finally:
        if os.path.exists(into):
            os.remove(into)
