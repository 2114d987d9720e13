"""bench_subprocesses in Python: subprocesses.py asyncio|uvloop COUNT AT_ONCE PROGRAM"""

import asyncio
import json
import resource
import sys
import time


def cpu_seconds(whose):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


async def one(semaphore, program):
    async with semaphore:
        process = await asyncio.create_subprocess_exec(program, stdout=asyncio.subprocess.PIPE)
        await process.communicate()
        if process.returncode != 0:
            sys.exit(1)


async def all_of_them(count, at_once, program):
    semaphore = asyncio.Semaphore(at_once)
    await asyncio.gather(*(one(semaphore, program) for _ in range(count)))


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
own = cpu_seconds(resource.RUSAGE_SELF)
began = time.perf_counter()
asyncio.run(all_of_them(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
print(
    json.dumps(
        {
            "wall_s": time.perf_counter() - began,
            "own_cpu_s": cpu_seconds(resource.RUSAGE_SELF) - own,
            "children_cpu_s": cpu_seconds(resource.RUSAGE_CHILDREN),
        }
    )
)
