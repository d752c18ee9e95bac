import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { Provider } from '../api/providers';
import type { ProvidersState } from './client';
import { ProvidersPanel } from './ProvidersPanel';

afterEach(cleanup);

const local: Provider = {
  name: 'local', stage: 'tts', state: 'available', requests: 0, failures: 0, slow: 0, takenOver: 0, firstMs: null, lastFailure: null,
  usage: { promptTokens: 0, completionTokens: 0, heardMs: 0, characters: 0 }, cost: null,
};
const gemini: Provider = {
  ...local, name: 'gemini', stage: 'llm', state: 'resting', requests: 9, failures: 3, firstMs: 412, lastFailure: 'it answered 503',
  usage: { promptTokens: 12_340, completionTokens: 980, heardMs: 0, characters: 0 }, cost: 0.00612,
};

function show(providers: ProvidersState) {
  const acts = { onClose: vi.fn(), onRetry: vi.fn() };
  render(<ProvidersPanel providers={providers} {...acts} />);
  return acts;
}

it('groups providers by what they do, and says what is wrong with one', () => {
  show({ status: 'ready', value: [local, gemini] });
  const textOf = (name: string) => screen.getByRole('region', { name }).textContent.replaceAll('\u00a0', ' ');
  expect(textOf('Answers')).toContain(
    'gemini412 msResting after failures · 9 requests · 3 failed12.3K tokens read · 980 written · cost 0.0061Last failure: it answered 503',
  );
  expect(textOf('Speaks')).toContain('This machineAvailable · 0 requests');
  expect(screen.queryByRole('region', { name: 'Understands' })).toBeNull();
});

it('offers another try when they cannot be had', () => {
  const { onRetry } = show({ status: 'failed', message: 'The server cannot be reached.' });
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(onRetry).toHaveBeenCalledOnce();
});
