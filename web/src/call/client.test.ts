import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CallClient } from './client';

/** Just enough of the browser to hold a call: every piece records what was done to it. */
class FakeChannel {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  say(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

class FakePeer {
  static last: FakePeer;
  readonly channel = new FakeChannel();
  readonly close = vi.fn();
  readonly order: string[] = [];
  localDescription = { sdp: 'the offer' };
  connectionState = 'new';
  onconnectionstatechange: (() => void) | null = null;

  constructor() {
    FakePeer.last = this;
  }
  addTrack() {
    this.order.push('addTrack');
  }
  createDataChannel(label: string) {
    this.order.push(label);
    return this.channel;
  }
  setLocalDescription() {
    this.order.push('setLocalDescription');
    return Promise.resolve();
  }
  setRemoteDescription() {
    queueMicrotask(() => this.channel.onopen?.());
    return Promise.resolve();
  }
  become(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

class FakeAudioContext {
  resume = () => Promise.resolve();
  close = () => Promise.resolve();
  createAnalyser = () => ({ fftSize: 0, getFloatTimeDomainData: () => undefined });
  createMediaStreamSource = () => ({ connect: () => undefined });
}

const track = { enabled: true, stop: vi.fn() };
const microphone = { getTracks: () => [track], getAudioTracks: () => [track] };
let getUserMedia = vi.fn(() => Promise.resolve(microphone));
let answers: () => Promise<Response>;
const fetched = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();

beforeEach(() => {
  track.enabled = true;
  track.stop.mockClear();
  getUserMedia = vi.fn(() => Promise.resolve(microphone));
  answers = () => Promise.resolve(new Response('the answer', { status: 201, headers: { location: '/v1/realtime/calls/c1' } }));
  fetched.mockReset().mockImplementation((path) => (path.endsWith('/hangup') ? Promise.resolve(new Response()) : answers()));
  vi.stubGlobal('fetch', fetched);
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('RTCPeerConnection', FakePeer);
  vi.stubGlobal('AudioContext', FakeAudioContext);
  vi.stubGlobal('MediaStream', class { active = true; });
  vi.stubGlobal('Audio', class { play = () => Promise.resolve(); });
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia: () => getUserMedia() }, configurable: true });
});

afterEach(() => {
  vi.useRealTimers();
});

async function inCall() {
  const client = new CallClient();
  await client.start();
  FakePeer.last.channel.say({ type: 'session.created', session: { id: 'c1' } });
  return { client, peer: FakePeer.last };
}

it('offers audio and the events channel, then listens', async () => {
  const { client, peer } = await inCall();
  expect(peer.order).toEqual(['addTrack', 'oai-events', 'setLocalDescription']);
  expect(fetched).toHaveBeenCalledWith('/v1/realtime/calls', expect.objectContaining({ method: 'POST', body: 'the offer' }));
  expect(client.snapshot().phase.name).toBe('listening');
});

it('tells subscribers of each change until they leave', async () => {
  const client = new CallClient();
  const subscriber = vi.fn();
  const leave = client.subscribe(subscriber);
  await client.start();
  expect(subscriber).toHaveBeenCalled();
  leave();
  subscriber.mockClear();
  client.hangUp();
  expect(subscriber).not.toHaveBeenCalled();
});

it('hangs up on the server, the connection and the microphone', async () => {
  const { client, peer } = await inCall();
  client.hangUp();
  expect(fetched).toHaveBeenLastCalledWith('/v1/realtime/calls/c1/hangup', { method: 'POST', keepalive: true });
  expect(peer.close).toHaveBeenCalledOnce();
  expect(track.stop).toHaveBeenCalledOnce();
});

it('hangs up when the page goes away', async () => {
  await inCall();
  window.dispatchEvent(new Event('pagehide'));
  expect(fetched).toHaveBeenLastCalledWith('/v1/realtime/calls/c1/hangup', expect.anything());
});

it('mutes the microphone, also before it is open', async () => {
  const { client } = await inCall();
  client.toggleMute();
  expect([track.enabled, client.snapshot().microphone]).toEqual([false, 'muted']);
  client.toggleMute();
  expect([track.enabled, client.snapshot().microphone]).toEqual([true, 'open']);
  client.hangUp();
  const dialling = client.start();
  client.toggleMute();
  await dialling;
  expect(track.enabled).toBe(false);
});

it('a call hung up while dialling leaves nothing behind', async () => {
  const client = new CallClient();
  let answer: (response: Response) => void = () => undefined;
  answers = () => new Promise((resolve) => { answer = resolve; });
  const dialling = client.start();
  await vi.waitFor(() => { expect(fetched).toHaveBeenCalled(); });
  client.hangUp();
  answer(new Response('the answer', { status: 201, headers: { location: '/v1/realtime/calls/late' } }));
  await dialling;
  expect(fetched).toHaveBeenLastCalledWith('/v1/realtime/calls/late/hangup', expect.anything());
  expect(track.stop).toHaveBeenCalled();
  expect(client.snapshot().phase.name).toBe('idle');
});

it('a denied microphone fails the call before anything is sent', async () => {
  getUserMedia.mockRejectedValue(new DOMException('denied', 'NotAllowedError'));
  const client = new CallClient();
  await client.start();
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'microphone-denied' } });
  expect(fetched).not.toHaveBeenCalled();
});

it('an insecure page says so', async () => {
  vi.stubGlobal('isSecureContext', false);
  const client = new CallClient();
  await client.start();
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'insecure-origin' } });
});

it('a server that is gone, and one that refuses, are told apart', async () => {
  const client = new CallClient();
  answers = () => Promise.reject(new TypeError('fetch failed'));
  await client.start();
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'server-unreachable' } });
  answers = () => Promise.resolve(new Response('{"error":{"code":"models_missing","message":"models are missing"}}', { status: 503 }));
  await client.start();
  expect(client.snapshot().phase).toMatchObject({ failure: { kind: 'server-not-ready', message: 'Models are missing.' } });
});

it('a closed event channel ends the call: Chrome’s connection state does not tell', async () => {
  const { client, peer } = await inCall();
  peer.channel.onclose?.();
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'connection-lost' } });
});

it('a faltering network may recover; one that does not loses the call', async () => {
  vi.useFakeTimers();
  const { client, peer } = await inCall();
  peer.become('disconnected');
  expect(client.snapshot().link).toBe('faltering');
  peer.become('connected');
  expect(client.snapshot().link).toBe('steady');
  peer.become('disconnected');
  vi.advanceTimersByTime(6_000);
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'connection-lost' } });
});

it('an answer without a way for audio gives up with the reason', async () => {
  vi.useFakeTimers();
  vi.spyOn(FakePeer.prototype, 'setRemoteDescription').mockResolvedValue();
  const client = new CallClient();
  const dialling = client.start();
  await vi.advanceTimersByTimeAsync(12_000);
  await dialling;
  expect(client.snapshot().phase).toEqual({ name: 'failed', failure: { kind: 'no-audio-path' } });
});
