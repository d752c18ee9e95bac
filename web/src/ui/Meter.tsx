import type { RefObject } from 'react';

export type Voice = 'you' | 'antiphon';

interface MeterProps {
  readonly label: string;
  readonly voice: Voice;
  /** The caller scales this bar from 0 to 1, once a frame. */
  readonly bar: RefObject<HTMLSpanElement | null>;
}

export function Meter({ label, voice, bar }: MeterProps) {
  return (
    <div className="flex flex-col gap-1.5" data-meter={voice}>
      <span className="text-xs font-medium text-muted">{label}</span>
      <span className="block h-1.5 overflow-hidden rounded-full bg-line">
        <span
          ref={bar}
          className={`block h-full origin-left scale-x-0 rounded-full ${voice === 'you' ? 'bg-you' : 'bg-antiphon'}`}
        />
      </span>
    </div>
  );
}
