/**
 * What runs inside the page beside the app: it listens to the remote voice, to the events, and can be the microphone.
 * `installProbe` and `installMicrophone` are sent to the browser as source, so they use nothing from this file.
 */
import type { Page } from 'playwright-core';

/** All times are the page's `performance.now()`. */
export interface Sound {
  readonly at: number;
  readonly rms: number;
}

export interface Heard {
  readonly at: number;
  readonly type: string;
}

interface Probe {
  readonly voice: Sound[];
  readonly microphone: Sound[];
  readonly events: Heard[];
  listen: (context: AudioContext, source: AudioNode, sounds: Sound[]) => void;
  say: (wavBase64: string) => Promise<void>;
}

declare global {
  interface Window {
    probe: Probe;
  }
}

/** Louder than this is a voice, quieter is silence: about -46 dBFS, far above codec noise. */
export const AUDIBLE = 0.005;

export async function installProbe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const probe: Probe = {
      voice: [],
      microphone: [],
      events: [],
      listen: (context, source, sounds) => {
        const analyser = context.createAnalyser();
        analyser.fftSize = 512;
        source.connect(analyser);
        const samples = new Float32Array(analyser.fftSize);
        setInterval(() => {
          analyser.getFloatTimeDomainData(samples);
          const energy = samples.reduce((sum, sample) => sum + sample * sample, 0);
          sounds.push({ at: performance.now(), rms: Math.sqrt(energy / samples.length) });
        }, 10);
      },
      say: () => Promise.reject(new Error('this page has no scripted microphone')),
    };
    window.probe = probe;
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        this.addEventListener('track', ({ track }) => {
          const context = new AudioContext();
          probe.listen(context, context.createMediaStreamSource(new MediaStream([track])), probe.voice);
        });
      }
      override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
        const channel = super.createDataChannel(label, init);
        channel.addEventListener('message', ({ data }) => {
          probe.events.push({ at: performance.now(), ...(JSON.parse(data as string) as { type: string }) });
        });
        return channel;
      }
    };
  });
}

/** Replaces the microphone by one that says what `say` is given, when it is called. */
export async function installMicrophone(page: Page): Promise<void> {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext({ sampleRate: 48_000 });
      await context.resume();
      const mouth = context.createGain();
      const capture = context.createMediaStreamDestination();
      mouth.connect(capture);
      window.probe.listen(context, mouth, window.probe.microphone);
      window.probe.say = async (wavBase64) => {
        const bytes = Uint8Array.from(atob(wavBase64), (character) => character.charCodeAt(0));
        const speech = context.createBufferSource();
        speech.buffer = await context.decodeAudioData(bytes.buffer);
        speech.connect(mouth);
        speech.start();
      };
      return capture.stream;
    };
  });
}

export async function heard(page: Page, type: string): Promise<Heard[]> {
  return page.evaluate((wanted) => window.probe.events.filter((event) => event.type === wanted), type);
}

export async function waitForEvent(page: Page, type: string, count = 1): Promise<void> {
  await page.waitForFunction(
    (wanted) => window.probe.events.filter((event) => event.type === wanted.type).length >= wanted.count,
    { type, count },
    { timeout: 60_000, polling: 20 },
  );
}

/** Resolves once the remote voice has been audible for about 100 ms. */
export async function waitForVoice(page: Page): Promise<void> {
  await page.waitForFunction(
    (audible) => window.probe.voice.slice(-10).filter((sound) => sound.rms > audible).length >= 6,
    AUDIBLE,
    { timeout: 60_000, polling: 20 },
  );
}
