"""aiortc speaks a tone by WHIP and hears it back by WHEP, then by one two-way call; it stops at the first thing that is wrong."""

import asyncio
import fractions
import math
import os
import urllib.parse
import urllib.request

import aioice.ice
import av
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

# Tests stay on this machine, whose own address aiortc would leave out.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

URL = os.environ["SERVER_URL"]
RATE = 48_000
FRAME = RATE // 50
# Far above codec noise, far below the tone.
AUDIBLE = 1_000
PATIENCE_S = 20


class Tone(MediaStreamTrack):
    """A sine, 20 ms at a time, in real time."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.sent = 0
        self.began = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(self.began + self.sent / RATE - loop.time())
        times = numpy.arange(self.sent, self.sent + FRAME) / RATE
        samples = (12_000 * numpy.sin(2 * math.pi * 440 * times)).astype(numpy.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.sent, fractions.Fraction(1, RATE)
        self.sent += FRAME
        return frame


def ask(method, url, body=None):
    """Sends a request; gives the response and its body."""
    headers = {"Content-Type": "application/sdp"} if body else {}
    request = urllib.request.Request(url, body and body.encode(), headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as response:
        return response, response.read().decode()


async def connect(pc, path):
    """Offers, and gives where the session is."""
    await pc.setLocalDescription(await pc.createOffer())
    url = URL + path
    response, answer = await asyncio.to_thread(ask, "POST", url, pc.localDescription.sdp)
    assert response.status == 201, response.status
    await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return urllib.parse.urljoin(url, response.headers["Location"])


async def hear_the_tone(track):
    while True:
        frame = await track.recv()
        if numpy.abs(frame.to_ndarray().astype(numpy.int32)).max() > AUDIBLE:
            return


async def one_way_each():
    speaker, listener = RTCPeerConnection(), RTCPeerConnection()
    speaker.addTransceiver(Tone(), "sendonly")
    listener.addTransceiver("audio", "recvonly")
    whip = await connect(speaker, "/whip")
    whep = await connect(listener, urllib.parse.urlsplit(whip).path.replace("/whip/", "/whep/"))
    await asyncio.wait_for(hear_the_tone(listener.getReceivers()[0].track), PATIENCE_S)
    for session in (whep, whip):
        response, _ = await asyncio.to_thread(ask, "DELETE", session)
        assert response.status == 200, response.status
    await asyncio.gather(speaker.close(), listener.close())


async def two_way():
    pc = RTCPeerConnection()
    pc.addTransceiver(Tone(), "sendrecv")
    pc.createDataChannel("oai-events")
    call = await connect(pc, "/v1/realtime/calls")
    await asyncio.wait_for(hear_the_tone(pc.getReceivers()[0].track), PATIENCE_S)
    response, _ = await asyncio.to_thread(ask, "POST", call + "/hangup")
    assert response.status == 200, response.status
    await pc.close()


async def main():
    await one_way_each()
    await two_way()


asyncio.run(main())
