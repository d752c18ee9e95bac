/**
 * One WebRTC line to the server: microphone up, voice down, events beside them.
 * It lives for one call and is never dialled again; `CallClient` decides what its events mean.
 */
import { readProblem } from '../api/problem';
import { CallFailure, microphoneFailure, refusal } from './failure';
import { LevelMeter, silence, type Levels } from './levels';

export interface LineListener {
  message(data: unknown): void;
  faltering(): void;
  recovered(): void;
  lost(): void;
}

const CALLS_PATH = '/v1/realtime/calls';

/** A line that carries no events by then never will: ICE itself gives up later than people do. */
const OPEN_TIMEOUT_MS = 12_000;

/** Wireless networks come back within this; beyond it the conversation is broken anyway. */
const RECOVERY_TIMEOUT_MS = 6_000;

export class Line {
  readonly #listener: LineListener;
  readonly #audio = new Audio();
  readonly #context = new AudioContext();
  #peer: RTCPeerConnection | null = null;
  #microphone: MediaStream | null = null;
  #yourMeter: LevelMeter | null = null;
  #voiceMeter: LevelMeter | null = null;
  #callPath: string | null = null;
  /** Kept because the caller may mute before the browser hands the microphone over. */
  #wanted: 'open' | 'muted' = 'open';
  #recovery: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Call it inside the click that starts the call: browsers allow sound only then. */
  constructor(listener: LineListener) {
    this.#listener = listener;
    this.#audio.autoplay = true;
    this.#audio.srcObject = new MediaStream();
    this.#play();
    void this.#context.resume();
  }

  /** Resolves once events flow. Rejects with `CallFailure`; the caller then closes the line. */
  async dial(): Promise<void> {
    const microphone = await openMicrophone();
    if (this.#closed) {
      stop(microphone);
      return;
    }
    this.#microphone = microphone;
    this.mute(this.#wanted);
    this.#yourMeter = new LevelMeter(this.#context, microphone);
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    peer.ontrack = ({ track }) => { this.#hear(track); };
    peer.onconnectionstatechange = () => { this.#watch(peer.connectionState); };
    for (const track of microphone.getAudioTracks()) peer.addTrack(track, microphone);
    const events = peer.createDataChannel('oai-events');
    events.onmessage = ({ data }) => { this.#listener.message(data); };
    const opened = whenOpen(events);
    // The offer below may fail first; that failure then is the one to tell.
    opened.catch(() => undefined);
    await peer.setLocalDescription();
    const answer = await this.#offer(peer.localDescription?.sdp ?? '');
    if (answer === null) return;
    await peer.setRemoteDescription({ type: 'answer', sdp: answer });
    await opened;
    events.onclose = () => { this.#lose(); };
  }

  mute(microphone: 'open' | 'muted'): void {
    this.#wanted = microphone;
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = microphone === 'open';
  }

  levels(): Levels {
    if (this.#closed) return silence;
    return { you: this.#yourMeter?.read() ?? 0, antiphon: this.#voiceMeter?.read() ?? 0 };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#recovery);
    this.#sendHangup();
    this.#peer?.close();
    stop(this.#microphone);
    this.#audio.srcObject = null;
    void this.#context.close();
  }

  /** The server's answer, or null when the caller hung up while waiting for it. */
  async #offer(sdp: string): Promise<string | null> {
    const response = await post(CALLS_PATH, sdp);
    const body = await response.text();
    if (!response.ok) throw new CallFailure(refusal(readProblem(response.status, body)));
    this.#callPath = callPath(response);
    if (!this.#closed) return body;
    this.#sendHangup();
    return null;
  }

  #sendHangup(): void {
    if (this.#callPath === null) return;
    // Nobody waits for the answer: the server also notices that the peer is gone.
    fetch(`${this.#callPath}/hangup`, { method: 'POST', keepalive: true }).catch(() => undefined);
    this.#callPath = null;
  }

  #hear(track: MediaStreamTrack): void {
    const stream = new MediaStream([track]);
    this.#audio.srcObject = stream;
    this.#play();
    this.#voiceMeter = new LevelMeter(this.#context, stream);
  }

  #play(): void {
    // An empty stream, or one swapped while starting, rejects; `autoplay` starts it when sound arrives.
    this.#audio.play().catch(() => undefined);
  }

  #watch(state: RTCPeerConnectionState): void {
    if (state === 'failed') this.#lose();
    if (state === 'connected') {
      clearTimeout(this.#recovery);
      this.#listener.recovered();
    }
    if (state === 'disconnected') {
      this.#listener.faltering();
      clearTimeout(this.#recovery);
      this.#recovery = setTimeout(() => { this.#lose(); }, RECOVERY_TIMEOUT_MS);
    }
  }

  #lose(): void {
    if (!this.#closed) this.#listener.lost();
  }
}

async function openMicrophone(): Promise<MediaStream> {
  if (!window.isSecureContext) throw new CallFailure({ kind: 'insecure-origin' });
  if (!('mediaDevices' in navigator) || !('RTCPeerConnection' in window)) throw new CallFailure({ kind: 'unsupported-browser' });
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    throw new CallFailure(microphoneFailure(error));
  }
}

async function post(path: string, sdp: string): Promise<Response> {
  try {
    return await fetch(path, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: sdp });
  } catch {
    throw new CallFailure({ kind: 'server-unreachable' });
  }
}

/** Only ever a path below ours: a stray `Location` must not choose where the hang-up goes. */
function callPath(response: Response): string | null {
  const location = response.headers.get('location');
  if (location === null) return null;
  const path = new URL(location, window.location.href).pathname;
  return path.startsWith(`${CALLS_PATH}/`) ? path : null;
}

function whenOpen(channel: RTCDataChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => { reject(new CallFailure({ kind: 'no-audio-path' })); };
    const timeout = setTimeout(fail, OPEN_TIMEOUT_MS);
    channel.onopen = () => {
      clearTimeout(timeout);
      resolve();
    };
    channel.onclose = () => {
      clearTimeout(timeout);
      fail();
    };
  });
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
