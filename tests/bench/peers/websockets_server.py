#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python package websockets as a server beside ours: README.md, "Peers"."""

import asyncio
import sys

import websockets


async def serve():
    event = sys.argv[1]
    clients = set()

    async def keep(client, _path=None):
        clients.add(client)
        await client.wait_closed()
        clients.discard(client)

    async def obey(reader, _writer):
        while order := await reader.read(4096):
            for _ in order:
                websockets.broadcast(clients, event)
                await asyncio.sleep(0)  # what was written goes out

    server = await websockets.serve(keep, "127.0.0.1", 0, compression=None, ping_interval=None,
                                    backlog=1024)
    control = await asyncio.start_server(obey, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], control.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
