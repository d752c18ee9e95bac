"""A server of aiortc that answers offers and swallows what it hears: `python aiortc_server.py PORT`."""

import sys

import aioice.ice
import uvicorn
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

# The benchmark stays on this machine, whose own address aiortc would leave out.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

calls = set()


async def answer(request):
    pc = RTCPeerConnection()
    calls.add(pc)
    sink = MediaBlackhole()

    @pc.on("track")
    async def listen(track):
        sink.addTrack(track)
        await sink.start()

    @pc.on("connectionstatechange")
    async def forget():
        if pc.connectionState in ("failed", "closed"):
            calls.discard(pc)

    await pc.setRemoteDescription(RTCSessionDescription((await request.body()).decode(), "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    return PlainTextResponse(pc.localDescription.sdp, 201, media_type="application/sdp")


app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("ready")), Route("/call", answer, methods=["POST"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
