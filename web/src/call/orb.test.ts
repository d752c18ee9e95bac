import { expect, it } from 'vitest';
import { moveOrb, restingOrb } from './orb';

const loud = { you: 1, antiphon: 1 };

it('melts into a mood and follows the voices', () => {
  let orb = restingOrb('full');
  for (let frame = 0; frame < 60; frame += 1) orb = moveOrb(orb, 'speaking', loud, 1 / 60);
  expect(orb.moods.speaking).toBeGreaterThan(0.98);
  expect(orb.moods.resting).toBeLessThan(0.02);
  expect(orb.antiphon).toBeGreaterThan(0.98);
  expect(orb.seconds).toBeCloseTo(1);
});

it('looks the same at any frame rate', () => {
  const once = moveOrb(restingOrb('full'), 'listening', loud, 0.1);
  const twice = moveOrb(moveOrb(restingOrb('full'), 'listening', loud, 0.05), 'listening', loud, 0.05);
  expect(twice.you).toBeCloseTo(once.you);
  expect(twice.moods.listening).toBeCloseTo(once.moods.listening);
});

it('stands still for those who asked for less motion', () => {
  expect(moveOrb(restingOrb('reduced'), 'speaking', loud, 1).seconds).toBe(0);
});
