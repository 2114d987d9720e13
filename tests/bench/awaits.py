"""bench_awaits in Python: awaits.py asyncio|uvloop AWAITS TASKS"""

import asyncio
import json
import sys

from peer import cpu_seconds, use_loop


async def leaf(number):
    return number


async def await_many(count):
    start = cpu_seconds()
    total = 0
    for i in range(count):
        total += await leaf(i)
    assert total == count * (count - 1) // 2
    return cpu_seconds() - start


async def cancel_many(count):
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
    await asyncio.sleep(0)
    start = cpu_seconds()
    for task in tasks:
        task.cancel()
    # A cancelled future wakes its task in the pass after.
    for _ in range(3):
        await asyncio.sleep(0)
    assert all(task.cancelled() for task in tasks)
    return cpu_seconds() - start


use_loop(sys.argv[1])
awaits, number = map(int, sys.argv[2:])
awaiting = asyncio.run(await_many(awaits))
cancelling = asyncio.run(cancel_many(number))
print(json.dumps({"await_ns": awaiting / awaits * 1e9, "cancel_us": cancelling / number * 1e6}))
