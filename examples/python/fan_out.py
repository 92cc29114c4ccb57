"""Asks many times at once, with `aiohttp`: fan_out.py HOW_MANY"""

import asyncio
import os
import sys

import aiohttp

from ocisign import Region, Signer
from ocisign.aiohttp import OciAuth


async def main(count: int) -> None:
    signer = Signer.default()
    await asyncio.to_thread(signer.warm)
    endpoint = os.environ.get("ENDPOINT") or Region(signer.identity().region).endpoint("identity")

    async with aiohttp.ClientSession(middlewares=[OciAuth(signer)]) as session:

        async def status() -> int:
            async with session.get(f"{endpoint}/20160918/regions") as answer:
                return answer.status

        statuses = await asyncio.gather(*(status() for _ in range(count)))
    print(f"{statuses.count(200)} of {count} answered 200")


asyncio.run(main(int(sys.argv[1])))
