/** A modal dialog at the side: the browser keeps the focus inside, gives it back, and closes on Escape. */
import { X } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { IconButton } from './IconButton';

interface SidePanelProps {
  readonly label: string;
  readonly title: string;
  /** Stands before the title. */
  readonly lead?: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function SidePanel({ label, title, lead, onClose, children }: SidePanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={onClose}
      onClick={({ target }) => { if (target === dialog.current) onClose(); }}
      className="fixed inset-y-0 right-0 left-auto m-0 h-dvh max-h-none w-full max-w-none animate-slide overflow-hidden border-line bg-paper text-ink backdrop:bg-shade sm:w-120 sm:border-l"
    >
      <div className="flex h-full flex-col">
        <header className="flex shrink-0 items-center gap-2 px-5 pt-4 pb-3">
          {lead}
          <h2 className="flex-1 font-serif text-3xl">{title}</h2>
          <IconButton icon={X} label="Close" onClick={onClose} />
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-5 pb-6">{children}</div>
      </div>
    </dialog>
  );
}
