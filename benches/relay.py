"""A line to a far place: passes bytes on to a port of this machine, each a while after it came.

    relay.py FROM-PORT TO-PORT MILLISECONDS

A byte is held back for half of MILLISECONDS each way, and a connection's first byte for MILLISECONDS more, as the
handshake of TCP takes a round trip. Nothing else is slow: there is no limit to the rate.
"""

import asyncio
import sys

CHUNK = 1 << 20


async def hold(reader, writer, delay):
    """Passes on what comes, each piece after its delay, without letting one wait for another."""
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue(64)

    async def receive():
        piece = None
        while piece != b"":
            try:
                piece = await reader.read(CHUNK)
            except OSError:
                piece = b""
            await queue.put((loop.time() + delay, piece))

    receiving = asyncio.create_task(receive())
    try:
        while True:
            due, piece = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()
    except OSError:
        # Who should get this is gone.
        pass
    finally:
        receiving.cancel()


async def join(reader, writer, target, delay):
    """Joins a connection with one to the port `target`, until both ends have no more to say."""
    await asyncio.sleep(2 * delay)
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=2 * CHUNK)
    await asyncio.gather(hold(reader, far_writer, delay), hold(far_reader, writer, delay))
    far_writer.close()
    writer.close()


async def main():
    port, target, milliseconds = (int(argument) for argument in sys.argv[1:])
    # asyncio itself keeps none of them alive.
    joined = set()

    def connected(reader, writer):
        task = asyncio.create_task(join(reader, writer, target, milliseconds / 2000))
        joined.add(task)
        task.add_done_callback(joined.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=2 * CHUNK)
    await server.serve_forever()


asyncio.run(main())
