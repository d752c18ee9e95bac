import { afterEach, expect, it, vi } from 'vitest';
import { fetchProviders } from './providers';

afterEach(() => { vi.unstubAllGlobals(); });

it('reads providers and skips those that make no sense', async () => {
  const gemini = {
    object: 'provider', name: 'gemini', stage: 'llm', state: 'resting', requests: 9, failures: 3, slow: 1, taken_over: 0,
    first_ms: 412.5, last_failure: 'it answered 503',
    usage: { prompt_tokens: 1200, cached_tokens: 200, completion_tokens: 80, heard_ms: 0, characters: 0 }, cost: 0.0012,
  };
  const data = [gemini, null, { ...gemini, stage: 'smell' }, { ...gemini, state: 'lost' }, { name: 'local', stage: 'tts', state: 'available' }];
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(JSON.stringify({ object: 'list', data })))));
  const read = await fetchProviders();
  expect(read).toMatchObject({
    ok: true,
    value: [
      { name: 'gemini', stage: 'llm', state: 'resting', requests: 9, failures: 3, firstMs: 412.5, lastFailure: 'it answered 503', cost: 0.0012,
        usage: { promptTokens: 1200, completionTokens: 80, heardMs: 0, characters: 0 } },
      { name: 'local', requests: 0, firstMs: null, lastFailure: null, cost: null,
        usage: { promptTokens: 0, completionTokens: 0, heardMs: 0, characters: 0 } },
    ],
  });
});
