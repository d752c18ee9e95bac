/** Conversations as `/v1/conversations` tells them (docs/protocol.md). */
import { asFields, list, numberOrNull, oneOf, text, textOrNull, type Fields } from './fields';
import { get, type Answer } from './get';

export const TURN_STATUSES = ['in_progress', 'completed', 'interrupted', 'failed'] as const;

export const TOOL_CALL_STATUSES = ['in_progress', 'completed', 'incomplete'] as const;

export interface ToolCall {
  readonly name: string;
  /** JSON text, as the model wrote it. */
  readonly arguments: string;
  readonly status: (typeof TOOL_CALL_STATUSES)[number];
  readonly result: string | null;
}

export interface Stage {
  readonly name: string;
  readonly ms: number;
}

export interface Turn {
  readonly index: number;
  readonly status: (typeof TURN_STATUSES)[number];
  readonly startedAt: string;
  readonly userText: string;
  readonly agentText: string;
  readonly heardText: string;
  readonly voiceToVoiceMs: number | null;
  /** In the order they pass; together they make up `voiceToVoiceMs`. */
  readonly stages: readonly Stage[];
  /** From the first frame of the answer to the last moment it was heard. */
  readonly heardMs: number | null;
  readonly toolCalls: readonly ToolCall[];
}

export interface ConversationSummary {
  readonly id: string;
  readonly status: 'active' | 'ended';
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly turnCount: number;
  readonly preview: string;
}

export interface Conversation extends ConversationSummary {
  readonly turns: readonly Turn[];
}

export interface ConversationPage {
  readonly conversations: readonly ConversationSummary[];
  readonly hasMore: boolean;
}

const PAGE_SIZE = 30;

export async function fetchConversations(before: string | null): Promise<Answer<ConversationPage>> {
  const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(before === null ? {} : { before }) });
  return get(`/v1/conversations?${query.toString()}`, (body) => ({
    conversations: list(body, 'data').flatMap((item) => readSummary(asFields(item)) ?? []),
    hasMore: body.has_more === true,
  }));
}

export async function fetchConversation(id: string): Promise<Answer<Conversation>> {
  return get(`/v1/conversations/${encodeURIComponent(id)}`, (body) => {
    const summary = readSummary(body);
    return summary && { ...summary, turns: list(body, 'turns').flatMap((item) => readTurn(asFields(item)) ?? []) };
  });
}

export function readTurn(fields: Fields | null): Turn | null {
  const index = numberOrNull(fields, 'index');
  const status = oneOf(fields, 'status', TURN_STATUSES);
  if (index === null || status === null) return null;
  const agentText = text(fields, 'agent_text');
  return {
    index,
    status,
    startedAt: text(fields, 'started_at'),
    userText: text(fields, 'user_text'),
    agentText,
    heardText: textOrNull(fields, 'heard_text') ?? agentText,
    voiceToVoiceMs: numberOrNull(fields, 'voice_to_voice_ms'),
    stages: readStages(asFields(fields?.stages_ms)),
    heardMs: numberOrNull(fields, 'heard_ms'),
    toolCalls: list(fields, 'tool_calls').flatMap((item) => readToolCall(asFields(item)) ?? []),
  };
}

function readToolCall(fields: Fields | null): ToolCall | null {
  const name = text(fields, 'name');
  const status = oneOf(fields, 'status', TOOL_CALL_STATUSES);
  if (name === '' || status === null) return null;
  return { name, arguments: text(fields, 'arguments'), status, result: textOrNull(fields, 'result') };
}

function readStages(fields: Fields | null): Stage[] {
  return Object.keys(fields ?? {}).flatMap((name) => {
    const ms = numberOrNull(fields, name);
    return ms === null ? [] : [{ name, ms: Math.max(0, ms) }];
  });
}

function readSummary(fields: Fields | null): ConversationSummary | null {
  const id = text(fields, 'id');
  if (id === '') return null;
  return {
    id,
    status: oneOf(fields, 'status', ['active', 'ended']) ?? 'ended',
    createdAt: text(fields, 'created_at'),
    endedAt: textOrNull(fields, 'ended_at'),
    turnCount: numberOrNull(fields, 'turn_count') ?? 0,
    preview: text(fields, 'preview'),
  };
}
