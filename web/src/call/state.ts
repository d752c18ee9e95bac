/** The state of a call: a pure reducer over what the caller does and what the server says. */
import type { AgentState, ServerEvent } from '../api/events';
import {
  agentSaid,
  callerSaid,
  heardOnly,
  responseCreated,
  responseDone,
  turnRecorded,
  type Captions,
} from './captions';
import type { Failure } from './failure';

export type Phase =
  | { readonly name: 'idle' | 'connecting' | 'ended' }
  | { readonly name: AgentState }
  | { readonly name: 'failed'; readonly failure: Failure };

export interface CallState {
  readonly phase: Phase;
  readonly captions: Captions;
  readonly microphone: 'open' | 'muted';
  /** The caller is speaking now, perhaps before a first word is recognised. */
  readonly callerSpeaking: boolean;
  /** The network falters, but the call may yet recover. */
  readonly link: 'steady' | 'faltering';
  /** The server's last complaint that did not end the call. */
  readonly warning: string | null;
}

export type CallAction =
  | { readonly type: 'dialled' }
  | { readonly type: 'server-said'; readonly event: ServerEvent }
  | { readonly type: 'microphone'; readonly microphone: CallState['microphone'] }
  | { readonly type: 'link'; readonly link: CallState['link'] }
  | { readonly type: 'hung-up' }
  | { readonly type: 'failed'; readonly failure: Failure };

export const idleCall: CallState = {
  phase: { name: 'idle' },
  captions: [],
  microphone: 'open',
  callerSpeaking: false,
  link: 'steady',
  warning: null,
};

export function isLive(phase: Phase): boolean {
  switch (phase.name) {
    case 'connecting':
    case 'listening':
    case 'thinking':
    case 'speaking':
      return true;
    case 'idle':
    case 'ended':
    case 'failed':
      return false;
    default:
      return phase satisfies never;
  }
}

export function reduceCall(state: CallState, action: CallAction): CallState {
  switch (action.type) {
    case 'dialled':
      // A reconnected call goes on under the words of the one that was lost.
      return { ...idleCall, phase: { name: 'connecting' }, captions: state.phase.name === 'failed' ? state.captions : [] };
    case 'server-said':
      return isLive(state.phase) ? reduceEvent(state, action.event) : state;
    case 'microphone':
      return { ...state, microphone: action.microphone };
    case 'link':
      return { ...state, link: action.link };
    case 'hung-up':
      return close(state, { name: state.captions.length > 0 ? 'ended' : 'idle' });
    case 'failed':
      return close(state, { name: 'failed', failure: action.failure });
    default:
      return action satisfies never;
  }
}

function close(state: CallState, phase: Phase): CallState {
  return { ...idleCall, captions: state.captions, phase };
}

function reduceEvent(state: CallState, event: ServerEvent): CallState {
  const { captions } = state;
  switch (event.type) {
    case 'session.created':
      return state.phase.name === 'connecting' ? { ...state, phase: { name: 'listening' } } : state;
    case 'antiphon.state':
      return { ...state, phase: { name: event.state } };
    case 'input_audio_buffer.speech_started':
      return { ...state, callerSpeaking: true };
    case 'input_audio_buffer.speech_stopped':
      return { ...state, callerSpeaking: false };
    case 'antiphon.input_transcription.partial':
      return { ...state, captions: callerSaid(captions, event.itemId, event.transcript, 'partial') };
    case 'conversation.item.input_audio_transcription.completed':
      return { ...state, captions: callerSaid(captions, event.itemId, event.transcript, 'final') };
    case 'response.created':
      return { ...state, captions: responseCreated(captions, event.responseId), warning: null };
    case 'response.output_audio_transcript.delta':
      return { ...state, captions: agentSaid(captions, event.responseId, event.itemId, event.delta) };
    case 'conversation.item.truncated':
      return { ...state, captions: heardOnly(captions, event.itemId, event.transcript) };
    case 'response.done':
      return { ...state, captions: responseDone(captions, event.responseId, event.status) };
    case 'antiphon.turn':
      return { ...state, captions: turnRecorded(captions, event.turn) };
    case 'error':
      return { ...state, warning: event.message || 'The server reported a problem; the call goes on.' };
    default:
      return event satisfies never;
  }
}
