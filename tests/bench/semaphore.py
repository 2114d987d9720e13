"""bench_semaphore in Python: semaphore.py asyncio|uvloop COUNT PERMITS YIELDS"""

import asyncio
import sys

from peer import use_loop


async def one(semaphore, yields):
    async with semaphore:
        for _ in range(yields):
            await asyncio.sleep(0)


async def all_of_them(count, permits, yields):
    semaphore = asyncio.Semaphore(permits)
    await asyncio.gather(*[one(semaphore, yields) for _ in range(count)])


use_loop(sys.argv[1])
asyncio.run(all_of_them(*map(int, sys.argv[2:])))
