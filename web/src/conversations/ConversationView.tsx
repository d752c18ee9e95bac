import { Scissors } from 'lucide-react';
import type { Conversation, Turn } from '../api/conversations';
import { Bubble } from '../ui/Bubble';
import { formatMs, median } from '../ui/format';
import { LatencyChip } from '../ui/LatencyChip';
import { details } from './ConversationList';
import { ToolCalls } from './ToolCalls';

interface ConversationViewProps {
  readonly conversation: Conversation;
}

export function ConversationView({ conversation }: ConversationViewProps) {
  const { turns } = conversation;
  const typical = median(turns.flatMap((turn) => turn.voiceToVoiceMs ?? []));
  return (
    <article>
      <p className="text-sm text-muted">{details(conversation)}</p>
      {typical !== null && (
        <p className="mt-1 text-sm text-muted">
          Answers began after <span className="font-medium text-ink tabular-nums">{formatMs(typical)}</span> (median)
        </p>
      )}
      {turns.length === 0 && <p className="py-16 text-center text-muted">Nothing was said.</p>}
      <ol className="mt-5 flex flex-col gap-5">
        {turns.map((turn) => (
          <TurnEntry key={turn.index} turn={turn} />
        ))}
      </ol>
    </article>
  );
}

function TurnEntry({ turn }: { readonly turn: Turn }) {
  const heard = turn.status === 'interrupted' ? turn.heardText : turn.agentText;
  const unheard = turn.status === 'interrupted' ? unheardPart(turn) : '';
  return (
    <li className="flex flex-col gap-2">
      {turn.userText !== '' && <Bubble voice="you">{turn.userText}</Bubble>}
      <ToolCalls calls={turn.toolCalls} />
      {heard + unheard !== '' && (
        <Bubble voice="antiphon">
          {heard}
          {unheard !== '' && (
            <del className="text-muted decoration-muted/50">
              <span className="sr-only"> Not heard: </span>
              {unheard}
            </del>
          )}
        </Bubble>
      )}
      <div className="flex min-h-6 items-center gap-2 self-start pl-2 text-xs text-muted empty:hidden">
        {turn.voiceToVoiceMs !== null && <LatencyChip turn={turn} />}
        {turn.status === 'interrupted' && (
          <span className="inline-flex items-center gap-1.5">
            <Scissors aria-hidden className="size-3.5" />
            Interrupted
          </span>
        )}
        {turn.status === 'failed' && <span className="text-danger">The answer broke off.</span>}
      </div>
    </li>
  );
}

/** What was written but never heard; nothing when the two texts do not line up. */
export function unheardPart({ agentText, heardText }: Turn): string {
  return agentText.startsWith(heardText.trimEnd()) ? agentText.slice(heardText.trimEnd().length) : '';
}
