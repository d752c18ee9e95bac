/** Just enough WAV to make a microphone's recording: 16-bit PCM, mono, 48 kHz. */

export const RATE = 48_000;

export function silence(seconds: number): Float32Array {
  return new Float32Array(Math.round(seconds * RATE));
}

export function concatenate(...parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The first channel, at 48 kHz. */
export function readWav(file: Buffer): Float32Array {
  const format = chunk(file, 'fmt ');
  const data = chunk(file, 'data');
  const channels = format.readUInt16LE(2);
  const bits = format.readUInt16LE(14);
  if (format.readUInt16LE(0) !== 1 || bits !== 16) throw new Error('the speech must be a 16-bit PCM WAV file');
  const frames = Math.floor(data.length / (2 * channels));
  const samples = Float32Array.from({ length: frames }, (_, frame) => data.readInt16LE(frame * 2 * channels) / 32_768);
  return resample(samples, format.readUInt32LE(4));
}

export function writeWav(samples: Float32Array): Buffer {
  const file = Buffer.alloc(44 + samples.length * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + samples.length * 2, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, at) => file.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), 44 + at * 2));
  return file;
}

function chunk(file: Buffer, name: string): Buffer {
  let at = 12;
  while (at + 8 <= file.length) {
    const length = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === name) return file.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  throw new Error(`the speech is no WAV file: it has no chunk "${name}"`);
}

/** Linear: speech survives it, and the images it leaves lie above what the recogniser hears. */
function resample(samples: Float32Array, rate: number): Float32Array {
  const length = Math.floor((samples.length * RATE) / rate);
  return Float32Array.from({ length }, (_, at) => {
    const place = (at * rate) / RATE;
    const before = Math.floor(place);
    const left = samples[before] ?? 0;
    return left + ((samples[before + 1] ?? left) - left) * (place - before);
  });
}
