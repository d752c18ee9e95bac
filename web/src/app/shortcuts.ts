/** Keys that work anywhere on the page while a call is on: space mutes, Escape hangs up. */
import { useEffect } from 'react';

interface Shortcuts {
  readonly onToggleMute: () => void;
  readonly onHangUp: () => void;
}

/** `shortcuts` is null while they must rest: no call, or a panel in front of it. */
export function useShortcuts(shortcuts: Shortcuts | null): void {
  useEffect(() => {
    if (!shortcuts) return undefined;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape') shortcuts.onHangUp();
      // On a focused button, space presses that button, as everywhere.
      if (event.key === ' ' && !isControl(event.target)) {
        event.preventDefault();
        shortcuts.onToggleMute();
      }
    };
    window.addEventListener('keydown', press);
    return () => { window.removeEventListener('keydown', press); };
  }, [shortcuts]);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, input, textarea, select, [contenteditable]') !== null;
}
