import type { LucideIcon } from 'lucide-react';

interface HeaderButtonProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly onClick: () => void;
}

/** Opens a panel. On a phone its icon stands alone. */
export function HeaderButton({ icon: Icon, label, onClick }: HeaderButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="inline-flex h-11 items-center gap-2 rounded-full px-4 text-sm font-medium text-muted transition hover:bg-line/50 hover:text-ink"
    >
      <Icon aria-hidden className="size-5 sm:size-4" />
      <span className="hidden sm:inline">{label}</span>
    </button>
  );
}
