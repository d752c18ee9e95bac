/**
 * Server messages on the data channel `oai-events` (docs/protocol.md), as one closed union.
 * Anything unknown or garbled parses to null and is ignored, so newer servers stay welcome.
 */
import { readTurn, type Turn } from './conversations';
import { asFields, oneOf, parseFields, text, type Fields } from './fields';

export const AGENT_STATES = ['listening', 'thinking', 'speaking'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export const RESPONSE_STATUSES = ['completed', 'cancelled', 'failed'] as const;
export type ResponseStatus = (typeof RESPONSE_STATUSES)[number];

export type ServerEvent =
  | { readonly type: 'session.created' }
  | { readonly type: 'input_audio_buffer.speech_started'; readonly itemId: string }
  | { readonly type: 'input_audio_buffer.speech_stopped'; readonly itemId: string }
  | { readonly type: 'antiphon.input_transcription.partial'; readonly itemId: string; readonly transcript: string }
  | {
      readonly type: 'conversation.item.input_audio_transcription.completed';
      readonly itemId: string;
      readonly transcript: string;
    }
  | { readonly type: 'response.created'; readonly responseId: string }
  | {
      readonly type: 'response.output_audio_transcript.delta';
      readonly responseId: string;
      readonly itemId: string;
      readonly delta: string;
    }
  | { readonly type: 'conversation.item.truncated'; readonly itemId: string; readonly transcript: string }
  | { readonly type: 'response.done'; readonly responseId: string; readonly status: ResponseStatus }
  | { readonly type: 'antiphon.state'; readonly state: AgentState }
  | { readonly type: 'antiphon.turn'; readonly turn: Turn }
  | { readonly type: 'error'; readonly message: string };

/** Far above any real event; a longer message is not worth the parse. */
const MAX_MESSAGE_CHARS = 1_000_000;

export function parseServerEvent(data: unknown): ServerEvent | null {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE_CHARS) return null;
  const fields = parseFields(data);
  return fields && readEvent(text(fields, 'type') as ServerEvent['type'], fields);
}

function readEvent(type: ServerEvent['type'], fields: Fields): ServerEvent | null {
  const itemId = text(fields, 'item_id');
  switch (type) {
    case 'session.created':
      return { type };
    case 'input_audio_buffer.speech_started':
    case 'input_audio_buffer.speech_stopped':
      return { type, itemId };
    case 'antiphon.input_transcription.partial':
    case 'conversation.item.input_audio_transcription.completed':
    case 'conversation.item.truncated':
      return itemId === '' ? null : { type, itemId, transcript: text(fields, 'transcript') };
    case 'response.created':
      return readResponse(fields, (responseId) => ({ type, responseId }));
    case 'response.output_audio_transcript.delta':
      return { type, responseId: text(fields, 'response_id'), itemId, delta: text(fields, 'delta') };
    case 'response.done': {
      const status = oneOf(asFields(fields.response), 'status', RESPONSE_STATUSES);
      return status && readResponse(fields, (responseId) => ({ type, responseId, status }));
    }
    case 'antiphon.state': {
      const state = oneOf(fields, 'state', AGENT_STATES);
      return state && { type, state };
    }
    case 'antiphon.turn': {
      const turn = readTurn(asFields(fields.turn));
      return turn && { type, turn };
    }
    case 'error':
      return { type, message: text(asFields(fields.error), 'message') };
    default:
      // The compiler proves every known type is met above; at run time a newer server may send more.
      (type satisfies never);
      return null;
  }
}

function readResponse(fields: Fields, build: (responseId: string) => ServerEvent): ServerEvent | null {
  const responseId = text(asFields(fields.response), 'id');
  return responseId === '' ? null : build(responseId);
}
