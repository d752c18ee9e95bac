/** The words of a call as they come in: one entry per turn, oldest first. Pure. */
import type { ResponseStatus } from '../api/events';
import type { Turn } from '../api/conversations';

export interface CallerWords {
  readonly itemId: string;
  readonly text: string;
  readonly final: boolean;
}

export interface AgentWords {
  readonly responseId: string;
  readonly itemId: string;
  /** What was said aloud so far; after an interruption, what was heard. */
  readonly text: string;
  readonly status: 'in_progress' | ResponseStatus;
}

export interface Caption {
  readonly id: number;
  readonly caller: CallerWords | null;
  readonly agent: AgentWords | null;
  /** The server's record of the turn, once it is over. */
  readonly record: Turn | null;
}

export type Captions = readonly Caption[];

/** More than an hour of brisk talk; the full transcript stands under Conversations. */
const MAX_CAPTIONS = 300;

export function callerSaid(captions: Captions, itemId: string, text: string, stage: 'partial' | 'final'): Captions {
  const known = captions.find((caption) => caption.caller?.itemId === itemId);
  if (stage === 'partial' && known?.caller?.final) return captions;
  const caller = { itemId, text, final: stage === 'final' };
  if (known) return replace(captions, known, text === '' && known.agent === null ? null : { ...known, caller });
  return text === '' ? captions : append(captions, { caller, agent: null });
}

export function responseCreated(captions: Captions, responseId: string): Captions {
  if (byResponse(captions, responseId)) return captions;
  const agent: AgentWords = { responseId, itemId: '', text: '', status: 'in_progress' };
  const last = captions.at(-1);
  return last?.agent === null ? replace(captions, last, { ...last, agent }) : append(captions, { caller: null, agent });
}

export function agentSaid(captions: Captions, responseId: string, itemId: string, delta: string): Captions {
  const opened = responseCreated(captions, responseId);
  return updateAgent(opened, byResponse(opened, responseId), (agent) =>
    agent.status === 'cancelled' ? agent : { ...agent, itemId, text: agent.text + delta },
  );
}

export function heardOnly(captions: Captions, itemId: string, heard: string): Captions {
  const cut = captions.findLast((caption) => caption.agent?.itemId === itemId);
  return updateAgent(captions, cut, (agent) => ({ ...agent, text: heard, status: 'cancelled' }));
}

export function responseDone(captions: Captions, responseId: string, status: ResponseStatus): Captions {
  return updateAgent(captions, byResponse(captions, responseId), (agent) => ({ ...agent, status }));
}

/** Files the server's record with the turn it belongs to; where the two differ, the record is right. */
export function turnRecorded(captions: Captions, record: Turn): Captions {
  const open = captions.filter((caption) => caption.record === null);
  const owner =
    open.find((caption) => caption.caller?.text.trim() === record.userText.trim()) ??
    open.find((caption) => caption.agent !== null && caption.agent.status !== 'in_progress') ??
    open[0];
  if (!owner) return captions;
  const caller = owner.caller && { ...owner.caller, text: record.userText || owner.caller.text, final: true };
  const agent = recordedAgent(owner.agent, record);
  return replace(captions, owner, { ...owner, caller, agent, record });
}

/** A turn may fail before its answer was announced; then the record alone tells of it. */
function recordedAgent(agent: AgentWords | null, { status, agentText, heardText }: Turn): AgentWords | null {
  if (!agent) return status === 'failed' ? { responseId: '', itemId: '', text: heardText, status } : null;
  return { ...agent, text: status === 'interrupted' ? heardText : agentText || agent.text };
}

export function lastLatencyMs(captions: Captions): number | null {
  return captions.findLast((caption) => caption.record !== null)?.record?.voiceToVoiceMs ?? null;
}

function byResponse(captions: Captions, responseId: string): Caption | undefined {
  return captions.findLast((caption) => caption.agent?.responseId === responseId);
}

function updateAgent(captions: Captions, caption: Caption | undefined, change: (agent: AgentWords) => AgentWords): Captions {
  return caption?.agent ? replace(captions, caption, { ...caption, agent: change(caption.agent) }) : captions;
}

function replace(captions: Captions, old: Caption, next: Caption | null): Captions {
  return captions.flatMap((caption) => (caption === old ? (next ?? []) : caption));
}

function append(captions: Captions, words: Pick<Caption, 'caller' | 'agent'>): Captions {
  const id = (captions.at(-1)?.id ?? 0) + 1;
  return [...captions, { id, ...words, record: null }].slice(-MAX_CAPTIONS);
}
