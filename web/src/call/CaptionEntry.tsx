import { Scissors } from 'lucide-react';
import { Bubble, Dots } from '../ui/Bubble';
import { LatencyChip } from '../ui/LatencyChip';
import type { AgentWords, Caption } from './captions';

interface CaptionEntryProps {
  readonly caption: Caption;
}

export function CaptionEntry({ caption: { caller, agent, record } }: CaptionEntryProps) {
  return (
    <li className="flex flex-col gap-2">
      {caller && (
        <Bubble voice="you" tentative={!caller.final}>
          {caller.text}
        </Bubble>
      )}
      {agent && <AgentBubble agent={agent} />}
      {agent && (agent.status === 'cancelled' || agent.status === 'failed' || record) && (
        <div className="flex min-h-6 items-center gap-2 self-start pl-2 text-xs text-muted">
          {record && <LatencyChip turn={record} />}
          <Ending agent={agent} />
        </div>
      )}
    </li>
  );
}

function AgentBubble({ agent: { text, status } }: { readonly agent: AgentWords }) {
  if (text === '' && status !== 'in_progress') return null;
  return (
    <Bubble voice="antiphon" tentative={text === ''}>
      {text === '' ? <Dots label="thinking" /> : <SpokenWords text={text} />}
      {status === 'cancelled' && <span aria-hidden className="text-muted"> —</span>}
    </Bubble>
  );
}

/** Every word stays the same element while more arrive, so that only new ones fade in. */
function SpokenWords({ text }: { readonly text: string }) {
  const words = text.trim().split(/\s+/);
  return words.map((word, place) => (
    <span key={place} className="animate-rise">
      {place === 0 ? word : ` ${word}`}
    </span>
  ));
}

function Ending({ agent: { text, status } }: { readonly agent: AgentWords }) {
  if (status === 'failed') return <span className="text-danger">The answer broke off.</span>;
  if (status !== 'cancelled') return null;
  return (
    <span className="inline-flex items-center gap-1.5">
      <Scissors aria-hidden className="size-3.5" />
      {text === '' ? 'You went on before the answer' : 'You interrupted here'}
    </span>
  );
}
