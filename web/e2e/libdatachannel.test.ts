/** libdatachannel, which OBS publishes with: audio and video by WHIP without trickle, and the audio heard back by WHEP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Audio, PeerConnection, Video, cleanup, type Track } from 'node-datachannel';
import { afterAll, expect } from 'vitest';
import { echoServer, ownServer } from './own-server';

const OPUS = 111;
const H264 = 96;
const FRAME_MS = 20;
/** An Opus packet of 20 ms of silence, marked so that it is known again. */
const PAYLOAD = Buffer.from([0xf8, 0xff, 0xfe, 0x2a]);

const server = echoServer();

afterAll(cleanup);

ownServer('what OBS offers is taken, its audio is heard and its video is dropped', async () => {
  const publisher = peer('publisher');
  const microphone = new Audio('0', 'SendOnly');
  microphone.addOpusCodec(OPUS, 'minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1');
  microphone.addSSRC(1, 'obs', 'obs-stream', 'obs-audio');
  const camera = new Video('1', 'SendOnly');
  camera.addH264Codec(H264);
  camera.addSSRC(2, 'obs', 'obs-stream', 'obs-video');
  const [audio, video] = [publisher.addTrack(microphone), publisher.addTrack(camera)];
  const whip = await open(publisher, '/whip');

  const player = peer('player');
  const speaker = new Audio('0', 'RecvOnly');
  speaker.addOpusCodec(OPUS);
  const voice = player.addTrack(speaker);
  let heard = 0;
  voice.onMessage((packet) => { if (packet.subarray(-PAYLOAD.length).equals(PAYLOAD)) heard += 1; });
  const whep = await open(player, whip.replace('/whip/', '/whep/'));

  for (let number = 0; heard < 50 && number < 500; number += 1) {
    send(audio, OPUS, 1, number, number * 48 * FRAME_MS);
    send(video, H264, 2, number, number * 90 * FRAME_MS);
    await sleep(FRAME_MS);
  }
  expect(heard).toBeGreaterThanOrEqual(50);
  expect(await framesIn()).toBeGreaterThanOrEqual(50);
  for (const session of [whep, whip]) expect((await fetch(server().url + session, { method: 'DELETE' })).status).toBe(200);
  player.close();
  publisher.close();
});

function peer(name: string): PeerConnection {
  // As OBS does: no trickle, and an offer when everything is there.
  return new PeerConnection(name, { iceServers: [], bindAddress: '127.0.0.1', disableAutoNegotiation: true });
}

/** Offers, and gives where the session is. */
async function open(pc: PeerConnection, path: string): Promise<string> {
  const gathered = new Promise<void>((done) => { pc.onGatheringStateChange((state) => { if (state === 'complete') done(); }); });
  pc.setLocalDescription('offer');
  await gathered;
  const headers = { 'Content-Type': 'application/sdp' };
  const response = await fetch(server().url + path, { method: 'POST', body: pc.localDescription()?.sdp ?? '', headers });
  const answer = await response.text();
  expect(response.status, answer).toBe(201);
  pc.setRemoteDescription(answer, 'answer');
  return response.headers.get('Location') ?? '';
}

/** One RTP packet (RFC 3550), once the connection is up. */
function send(track: Track, payloadType: number, ssrc: number, sequence: number, timestamp: number): void {
  if (!track.isOpen()) return;
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(payloadType, 1);
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(timestamp, 4);
  header.writeUInt32BE(ssrc, 8);
  track.sendMessageBinary(Buffer.concat([header, PAYLOAD]));
}

/** How many microphone frames the server has heard, as it tells itself. */
async function framesIn(): Promise<number> {
  const metrics = await (await fetch(`${server().url}/metrics`)).text();
  return Number(/^antiphon_media_frames_in_total (\d+)$/m.exec(metrics)?.[1]);
}
