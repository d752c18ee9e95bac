/** Who understands, answers and speaks, as `/v1/providers` tells it (docs/protocol.md). */
import { asFields, list, numberOrNull, oneOf, text, textOrNull, type Fields } from './fields';
import { get, type Answer } from './get';

export const STAGES = ['stt', 'llm', 'tts', 'live'] as const;
export const PROVIDER_STATES = ['available', 'trying', 'resting'] as const;

/** What a provider did, in what vendors bill. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly heardMs: number;
  readonly characters: number;
}

export interface Provider {
  readonly name: string;
  readonly stage: (typeof STAGES)[number];
  readonly state: (typeof PROVIDER_STATES)[number];
  readonly requests: number;
  readonly failures: number;
  readonly slow: number;
  /** Answers that it finished where another one had failed. */
  readonly takenOver: number;
  /** Request to first word or sound, on average. */
  readonly firstMs: number | null;
  readonly lastFailure: string | null;
  readonly usage: Usage;
  /** In the currency of the configured prices; null without prices. */
  readonly cost: number | null;
}

export async function fetchProviders(): Promise<Answer<readonly Provider[]>> {
  return get('/v1/providers', (body) => list(body, 'data').flatMap((item) => readProvider(asFields(item)) ?? []));
}

function readProvider(fields: Fields | null): Provider | null {
  const name = text(fields, 'name');
  const stage = oneOf(fields, 'stage', STAGES);
  const state = oneOf(fields, 'state', PROVIDER_STATES);
  if (name === '' || stage === null || state === null) return null;
  const count = (key: string) => numberOrNull(fields, key) ?? 0;
  return {
    name,
    stage,
    state,
    requests: count('requests'),
    failures: count('failures'),
    slow: count('slow'),
    takenOver: count('taken_over'),
    firstMs: numberOrNull(fields, 'first_ms'),
    lastFailure: textOrNull(fields, 'last_failure'),
    usage: readUsage(asFields(fields?.usage)),
    cost: numberOrNull(fields, 'cost'),
  };
}

function readUsage(fields: Fields | null): Usage {
  const count = (key: string) => numberOrNull(fields, key) ?? 0;
  return {
    promptTokens: count('prompt_tokens'),
    completionTokens: count('completion_tokens'),
    heardMs: count('heard_ms'),
    characters: count('characters'),
  };
}
