import { expect, it } from 'vitest';
import { loudness } from './levels';

const tone = (amplitude: number) => Float32Array.from({ length: 480 }, (_, n) => amplitude * Math.sin(n / 5));

it('silence is 0, speech lies between, and nothing exceeds 1', () => {
  expect(loudness(new Float32Array(480))).toBe(0);
  expect(loudness(tone(0.05))).toBeGreaterThan(0.3);
  expect(loudness(tone(0.05))).toBeLessThan(0.8);
  expect(loudness(tone(1))).toBe(1);
  expect(loudness(new Float32Array(0))).toBe(0);
});
