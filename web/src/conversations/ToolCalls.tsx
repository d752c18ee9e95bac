/** The tools that a turn called: their names, and behind each what was asked and what came back. */
import { Wrench } from 'lucide-react';
import type { ToolCall } from '../api/conversations';

const REMARKS: Readonly<Record<ToolCall['status'], string>> = {
  in_progress: 'still at work',
  completed: '',
  incomplete: 'given up',
};

interface ToolCallsProps {
  readonly calls: readonly ToolCall[];
}

export function ToolCalls({ calls }: ToolCallsProps) {
  if (calls.length === 0) return null;
  return (
    <ul aria-label="Tools used" className="flex flex-col gap-1 self-start pl-2 text-xs text-muted">
      {calls.map((call, place) => (
        <li key={place}>
          <details className="group">
            <summary className="inline-flex min-h-6 cursor-pointer items-center gap-1.5 rounded-full px-1 hover:text-ink">
              <Wrench aria-hidden className="size-3.5" />
              <span className="font-mono">{call.name}</span>
              {REMARKS[call.status] !== '' && <span>· {REMARKS[call.status]}</span>}
            </summary>
            <dl className="mt-1 mb-2 max-w-prose rounded-xl border border-line bg-surface p-3 font-mono break-words whitespace-pre-wrap">
              <dt className="sr-only">Asked</dt>
              <dd>{call.arguments}</dd>
              <dt className="sr-only">Result</dt>
              <dd className="mt-2 border-t border-line pt-2 text-ink">{call.result ?? 'No result.'}</dd>
            </dl>
          </details>
        </li>
      ))}
    </ul>
  );
}
