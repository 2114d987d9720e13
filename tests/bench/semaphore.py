"""bench_semaphore in Python: semaphore.py asyncio|uvloop COUNT PERMITS"""

import asyncio
import sys


async def one(semaphore):
    async with semaphore:
        await asyncio.sleep(0)


async def all_of_them(count, permits):
    semaphore = asyncio.Semaphore(permits)
    await asyncio.gather(*(one(semaphore) for _ in range(count)))


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(all_of_them(int(sys.argv[2]), int(sys.argv[3])))
