/** How loud a stream is right now, as the ear would put it. */

export interface Levels {
  /** Both from 0 (silence) to 1 (loud speech). */
  readonly you: number;
  readonly antiphon: number;
}

export const silence: Levels = { you: 0, antiphon: 0 };

/** Speech in a quiet room lies between these; found with recorded speech at common microphone gains. */
const QUIET_DB = -55;
const LOUD_DB = -14;

/** About 21 ms at 48 kHz: one video frame's worth of sound. */
const WINDOW = 1024;

export class LevelMeter {
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(WINDOW);

  constructor(context: AudioContext, stream: MediaStream) {
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = WINDOW;
    context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  read(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return loudness(this.#samples);
  }
}

export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (db - QUIET_DB) / (LOUD_DB - QUIET_DB)));
}
