import { expect, it } from 'vitest';
import { countOf, formatCost, formatDuration, formatMany, formatMoment, formatMs, median } from './format';

it('writes latencies as people compare them', () => {
  expect([731.4, 999, 1234, 12_345].map(formatMs)).toEqual(['731 ms', '999 ms', '1.23 s', '12.3 s']);
});

it('writes durations', () => {
  expect([4_400, 60_000, 125_000, -5].map(formatDuration)).toEqual(['4 s', '1 min 0 s', '2 min 5 s', '0 s']);
});

it('writes moments, and nothing for a date that is none', () => {
  const now = new Date(2026, 10, 22, 20, 0);
  expect(formatMoment(new Date(2026, 10, 22, 9, 5).toISOString(), now, 'en-GB')).toBe('Today, 9:05');
  expect(formatMoment(new Date(2026, 10, 20, 19, 5).toISOString(), now, 'en-GB')).toBe('20 Nov, 19:05');
  expect(formatMoment(new Date(2025, 0, 2, 19, 5).toISOString(), now, 'en-GB')).toBe('2 Jan 2025, 19:05');
  expect(formatMoment('soon', now)).toBe('');
});

it('counts', () => {
  expect([countOf(1, 'turn'), countOf(0, 'turn')]).toEqual(['1 turn', '0 turns']);
  expect([median([]), median([3]), median([9, 1, 5]), median([4, 2])]).toEqual([null, 3, 5, 3]);
});

it('writes large counts and small sums in short', () => {
  expect([7, 980, 12_340, 3_400_000].map(formatMany)).toEqual(['7', '980', '12.3K', '3.4M']);
  expect([0, 0.000_123_4, 0.0612, 0.2, 3.456, 1234.5].map(formatCost)).toEqual(['0', '0.00012', '0.061', '0.20', '3.46', '1234.50']);
});
