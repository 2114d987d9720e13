"""bench_echo in Python:

    echo.py asyncio|uvloop server CONNECTIONS [PATH]
    echo.py asyncio|uvloop client CONNECTIONS TRIPS PORT|PATH
"""

import asyncio
import json
import sys

from peer import cpu_seconds, use_loop

MESSAGE = 64 * b"x"


async def serve(connections, path=None):
    connections = int(connections)
    last = asyncio.get_running_loop().create_future()

    async def handle(reader, writer):
        nonlocal connections
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
        writer.close()
        connections -= 1
        if connections == 0:
            last.set_result(None)

    if path:
        server = await asyncio.start_unix_server(handle, path)
        print(path, flush=True)
    else:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
    await last


def connect(where):
    return asyncio.open_unix_connection(where) if "/" in where else asyncio.open_connection("127.0.0.1", int(where))


async def converse(where, trips):
    reader, writer = await connect(where)
    for _ in range(trips):
        writer.write(MESSAGE)
        await writer.drain()
        answer = await reader.readexactly(len(MESSAGE))
        assert answer == MESSAGE
    writer.close()


async def ask(connections, trips, where):
    await asyncio.gather(*(converse(where, int(trips)) for _ in range(int(connections))))


use_loop(sys.argv[1])
body = {"server": serve, "client": ask}[sys.argv[2]]
start = cpu_seconds()
asyncio.run(body(*sys.argv[3:]))
print(json.dumps({"cpu_s": cpu_seconds() - start}))
