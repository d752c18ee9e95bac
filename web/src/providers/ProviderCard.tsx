import type { Provider, Usage } from '../api/providers';
import { countOf, formatCost, formatDuration, formatMany, formatMs } from '../ui/format';

interface ProviderCardProps {
  readonly provider: Provider;
}

/** One provider in one stage: whether it is asked, and what it did. */
export function ProviderCard({ provider }: ProviderCardProps) {
  const { name, state, requests, failures, slow, takenOver, firstMs, lastFailure, usage, cost } = provider;
  const facts = [
    WORDS[state],
    countOf(requests, 'request'),
    ...(failures > 0 ? [`${failures} failed`] : []),
    ...(slow > 0 ? [`${slow} slow`] : []),
    ...(takenOver > 0 ? [`${takenOver} taken over`] : []),
  ];
  const work = [...workOf(usage), ...(cost !== null ? [`cost ${formatCost(cost)}`] : [])];
  return (
    <li className="rounded-2xl border border-line bg-surface px-4 py-3">
      <p className="flex items-center gap-2.5">
        <span aria-hidden className={`size-2 shrink-0 rounded-full ${DOTS[state]}`} />
        <span className="min-w-0 flex-1 truncate font-semibold">{name === 'local' ? 'This machine' : name}</span>
        {firstMs !== null && <span className="text-sm text-muted tabular-nums" title="To the first word or sound, on average">{formatMs(firstMs)}</span>}
      </p>
      <p className="mt-1 pl-4.5 text-sm text-muted">
        {facts.map(unbroken).join(' · ')}
      </p>
      {work.length > 0 && <p className="mt-1 pl-4.5 text-xs text-muted">{work.map(unbroken).join(' · ')}</p>}
      {lastFailure !== null && <p className="mt-1 pl-4.5 text-xs text-muted text-pretty break-words">Last failure: {lastFailure}</p>}
    </li>
  );
}

function workOf({ promptTokens, completionTokens, heardMs, characters }: Usage): readonly string[] {
  return [
    ...(promptTokens > 0 ? [`${formatMany(promptTokens)} tokens read`] : []),
    ...(completionTokens > 0 ? [`${formatMany(completionTokens)} written`] : []),
    ...(heardMs > 0 ? [`${formatDuration(heardMs)} heard`] : []),
    ...(characters > 0 ? [`${formatMany(characters)} characters spoken`] : []),
  ];
}

/** Lines break between facts, not within. */
function unbroken(fact: string): string {
  return fact.replaceAll(' ', '\u00a0');
}

const DOTS: Record<Provider['state'], string> = {
  available: 'bg-good',
  trying: 'bg-warn',
  resting: 'bg-danger',
};

const WORDS: Record<Provider['state'], string> = {
  available: 'Available',
  trying: 'Being tried again',
  resting: 'Resting after failures',
};
