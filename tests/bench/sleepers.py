"""bench_sleepers in Python: sleepers.py asyncio|uvloop COUNT SHORTEST_MS LONGEST_MS"""

import asyncio
import json
import random
import sys
import time

from peer import peak_memory_bytes, use_loop


async def one(length):
    await asyncio.sleep(length)


async def timed(length, late):
    loop = asyncio.get_running_loop()
    due = loop.time() + length
    await asyncio.sleep(length)
    late.append(1000 * (loop.time() - due))


async def all_of_them(count, shortest, longest, late):
    if shortest == longest:
        bodies = [one(shortest / 1000) for _ in range(count)]
    else:
        bodies = [timed(random.uniform(shortest, longest) / 1000, late) for _ in range(count)]
    await asyncio.gather(*bodies)


use_loop(sys.argv[1])
number, low, high = map(int, sys.argv[2:])
lateness = []
before = peak_memory_bytes()
start = time.perf_counter()
asyncio.run(all_of_them(number, low, high, lateness))
answer = {
    "wall_ms": 1000 * (time.perf_counter() - start),
    "bytes_per_task": (peak_memory_bytes() - before) / number,
    "early": sum(each < 0 for each in lateness),
}
lateness = sorted(lateness or [0])
print(json.dumps(answer | {"late_p99_ms": lateness[len(lateness) * 99 // 100], "late_max_ms": lateness[-1]}))
