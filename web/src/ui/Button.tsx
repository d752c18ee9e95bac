import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

const LOOKS = {
  primary: 'bg-ink text-paper hover:opacity-90 px-7 h-14 text-base',
  plain: 'bg-surface text-ink border border-line hover:border-muted px-5 h-12 text-sm',
  pressed: 'bg-you-soft text-you border border-you px-5 h-12 text-sm',
  danger: 'bg-danger-fill text-white hover:opacity-90 px-5 h-12 text-sm',
} as const;

interface ButtonProps {
  readonly icon: LucideIcon;
  readonly look: keyof typeof LOOKS;
  readonly onClick: () => void;
  readonly children: ReactNode;
  /** Present on buttons that stay down: whether this one is. */
  readonly pressed?: boolean;
  readonly shortcut?: string;
}

export function Button({ icon: Icon, look, onClick, children, pressed, shortcut }: ButtonProps) {
  return (
    <button
      type="button"
      onClick={onClick}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      className={`inline-flex items-center justify-center gap-2.5 rounded-full font-semibold transition ${LOOKS[look]}`}
    >
      <Icon aria-hidden className="size-[1.15em]" />
      {children}
    </button>
  );
}
