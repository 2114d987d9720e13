"""The peer for `fetch`: fetches the URLs of a list, 64 at once, into a folder or nowhere. LIST [FOLDER]"""

import asyncio
import os
import sys

import aiohttp


async def fetch(session, url, folder):
    async with session.get(url) as answer:
        answer.raise_for_status()
        if folder is None:
            async for _ in answer.content.iter_any():
                pass
            return
        with open(os.path.join(folder, url.rsplit("/", 1)[1]), "wb") as file:
            async for piece in answer.content.iter_any():
                file.write(piece)


async def main(urls, folder):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        await asyncio.gather(*(fetch(session, url, folder) for url in urls))


with open(sys.argv[1], encoding="utf-8") as file:
    asyncio.run(main(file.read().split(), sys.argv[2] if len(sys.argv) > 2 else None))
