import type { RefObject } from 'react';

/** The two sides of a call; each has its colour and its side of the page. */
export type Voice = 'you' | 'antiphon';

interface MeterProps {
  readonly label: string;
  readonly voice: Voice;
  /** The caller scales this bar from 0 to 1, once a frame. */
  readonly bar: RefObject<HTMLSpanElement | null>;
}

const LOOKS = {
  you: { column: 'text-right', bar: 'origin-right bg-you' },
  antiphon: { column: 'text-left', bar: 'origin-left bg-antiphon' },
} as const;

export function Meter({ label, voice, bar }: MeterProps) {
  const look = LOOKS[voice];
  return (
    <div className={`flex w-20 flex-col gap-2 lg:w-24 ${look.column}`} data-meter={voice}>
      <span className="text-xs font-medium text-muted">{label}</span>
      <span className="block h-1.5 overflow-hidden rounded-full bg-line">
        <span ref={bar} className={`block h-full scale-x-0 rounded-full ${look.bar}`} />
      </span>
    </div>
  );
}
