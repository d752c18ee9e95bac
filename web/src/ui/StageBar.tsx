/** One turn's latency as its parts, in the order they pass: from your voice to Antiphon's. */
import type { Stage } from '../api/conversations';
import { formatMs } from './format';

const LABELS: Readonly<Record<string, string>> = {
  endpoint: 'End of turn',
  stt: 'Transcript',
  llm_first_token: 'First word',
  first_clause: 'First clause',
  tts: 'Voice',
  playout: 'Playout',
};

/** From one voice's colour to the other's; a list of more stages than this repeats the last. */
const SHADES = ['bg-stage-1', 'bg-stage-2', 'bg-stage-3', 'bg-stage-4', 'bg-stage-5', 'bg-stage-6'] as const;

interface StageBarProps {
  readonly stages: readonly Stage[];
}

export function StageBar({ stages }: StageBarProps) {
  return (
    <div className="flex flex-col gap-2.5">
      <div className="flex h-2 gap-px overflow-hidden rounded-full" aria-hidden>
        {stages.map((stage, place) => (
          <span key={stage.name} className={shade(place)} style={{ flexGrow: stage.ms, flexBasis: 0 }} />
        ))}
      </div>
      <dl className="flex flex-col gap-1.5 text-xs">
        {stages.map((stage, place) => (
          <div key={stage.name} className="flex items-center gap-2">
            <span className={`size-2 shrink-0 rounded-full ${shade(place)}`} aria-hidden />
            <dt className="text-muted">{LABELS[stage.name] ?? stage.name}</dt>
            <dd className="ml-auto tabular-nums">{formatMs(stage.ms)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function shade(place: number): string {
  return SHADES[Math.min(place, SHADES.length - 1)] ?? SHADES[0];
}
