/** The one thing to know right now, in large type; failures come with how to mend them. */
import { TriangleAlert } from 'lucide-react';
import { formatMs } from '../ui/format';
import { lastLatencyMs } from './captions';
import { describeFailure } from './failure';
import type { CallState } from './state';

interface HeadlineProps {
  readonly call: CallState;
}

export function Headline({ call }: HeadlineProps) {
  if (call.phase.name === 'failed') {
    const { title, advice } = describeFailure(call.phase.failure);
    return (
      <div role="alert" className="flex max-w-md flex-col items-center gap-2 text-center">
        <h1 className="flex items-center gap-2.5 font-serif text-3xl text-danger md:text-4xl">
          <TriangleAlert aria-hidden className="size-6 shrink-0" />
          {title}
        </h1>
        <p className="text-balance text-muted">{advice}</p>
      </div>
    );
  }
  const { word, hint } = wording(call);
  return (
    <div className="flex flex-col items-center gap-1.5 text-center">
      <h1 className="font-serif text-4xl md:text-5xl">{word}</h1>
      <p className="min-h-6 text-balance text-muted">{hint}</p>
    </div>
  );
}

interface Wording {
  readonly word: string;
  readonly hint: string;
}

function wording(call: CallState): Wording {
  if (call.link === 'faltering') return { word: 'Reconnecting', hint: 'The network falters. Hold on.' };
  if (call.warning !== null) return { word: phaseWording(call).word, hint: call.warning };
  return phaseWording(call);
}

function phaseWording({ phase, microphone, captions, callerSpeaking }: CallState): Wording {
  switch (phase.name) {
    case 'idle':
      return { word: 'Speak, and be answered', hint: 'A conversation aloud. Interrupt whenever you like.' };
    case 'connecting':
      return { word: 'Connecting', hint: 'Your browser may ask for the microphone.' };
    case 'listening':
      return microphone === 'muted'
        ? { word: 'Muted', hint: 'Antiphon can’t hear you.' }
        : { word: 'Listening', hint: callerSpeaking ? 'Hearing you.' : listeningHint(lastLatencyMs(captions)) };
    case 'thinking':
      return { word: 'Thinking', hint: '' };
    case 'speaking':
      return { word: 'Speaking', hint: microphone === 'muted' ? 'You are muted.' : 'Speak up to interrupt.' };
    case 'ended':
      return { word: 'Call ended', hint: 'The transcript is kept under Conversations.' };
    case 'failed':
      return { word: '', hint: '' };
    default:
      return phase satisfies never;
  }
}

function listeningHint(latencyMs: number | null): string {
  return latencyMs === null ? 'Say something.' : `The last answer began after ${formatMs(latencyMs)}.`;
}
