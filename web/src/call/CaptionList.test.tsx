import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import type { Caption } from './captions';
import { CaptionList } from './CaptionList';

afterEach(cleanup);

const caption = (change: Partial<Caption>): Caption => ({ id: 1, caller: null, agent: null, record: null, ...change });
const agent = { responseId: 'r1', itemId: 'a1', text: 'It is long', status: 'in_progress' } as const;
const show = (captions: readonly Caption[], callerSpeaking = false) =>
  render(<CaptionList captions={captions} callerSpeaking={callerSpeaking} />);

it('invites to speak while there is nothing to read', () => {
  show([]);
  expect(screen.getByRole('log').textContent).toBe('What you both say appears here.');
});

it('marks words that may still change as busy, so that they are not read out yet', () => {
  show([caption({ caller: { itemId: 'i1', text: 'should I', final: false } })]);
  expect(screen.getByText('should I').getAttribute('aria-busy')).toBe('true');
});

it('shows that it hears the caller before the first word is recognised', () => {
  show([caption({ caller: { itemId: 'i1', text: 'Hello', final: true }, agent })], true);
  expect(screen.getByText('speaking')).toBeTruthy();
});

it('shows that an answer is on its way', () => {
  show([caption({ agent: { ...agent, text: '' } })]);
  expect(screen.getByText('thinking')).toBeTruthy();
});

it('cuts an interrupted answer where it was heard and says so', () => {
  show([caption({ agent: { ...agent, status: 'cancelled' } })]);
  expect(screen.getByRole('listitem').textContent).toBe('Antiphon: It is long —You interrupted here');
});

it('leaves no empty bubble when the caller went on before the answer', () => {
  show([caption({ agent: { ...agent, text: '', status: 'cancelled' } })]);
  expect(screen.getByRole('listitem').textContent).toBe('You went on before the answer');
});

it('says when an answer broke off', () => {
  show([caption({ agent: { ...agent, status: 'failed' } })]);
  expect(screen.getByText('The answer broke off.')).toBeTruthy();
});
