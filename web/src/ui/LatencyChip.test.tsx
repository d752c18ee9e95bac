import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Turn } from '../api/conversations';
import { LatencyChip } from './LatencyChip';

const turn: Turn = {
  index: 1,
  status: 'completed',
  startedAt: '',
  userText: '',
  agentText: '',
  heardText: '',
  voiceToVoiceMs: 731,
  stages: [
    { name: 'endpoint', ms: 260 },
    { name: 'network', ms: 20 },
  ],
  heardMs: 1840,
  toolCalls: [],
};

beforeEach(() => {
  HTMLElement.prototype.showPopover = vi.fn();
  HTMLElement.prototype.hidePopover = vi.fn();
});
afterEach(cleanup);

const chip = () => screen.getByRole('button', { name: 'Answered in 731 ms; show the stages' });

it('opens by tap, by mouse and by focus, and closes on Escape without ending the call', () => {
  render(<LatencyChip turn={turn} />);
  const shortcut = vi.fn();
  document.body.addEventListener('keydown', shortcut);
  for (const open of [fireEvent.click, fireEvent.focus, (element: Element) => fireEvent.pointerEnter(element, { pointerType: 'mouse' })]) {
    open(chip());
    expect(chip().getAttribute('aria-expanded')).toBe('true');
    fireEvent.keyDown(document.body, { key: 'Escape' });
    expect(chip().getAttribute('aria-expanded')).toBe('false');
  }
  expect(shortcut).not.toHaveBeenCalled();
  document.body.removeEventListener('keydown', shortcut);
});

it('names the stages, also one it does not know', () => {
  render(<LatencyChip turn={turn} />);
  expect(screen.getAllByRole('definition').map((entry) => entry.parentElement?.textContent)).toEqual([
    'End of turn260 ms',
    'network20 ms',
  ]);
});

it('tells how long the answer was heard, apart from the stages', () => {
  const { rerender } = render(<LatencyChip turn={turn} />);
  expect(screen.getByText('Heard').parentElement?.textContent).toBe('Heard 1.84 s');
  rerender(<LatencyChip turn={{ ...turn, heardMs: null }} />);
  expect(screen.queryByText('Heard')).toBeNull();
});

it('is absent when nothing was measured', () => {
  const { container } = render(<LatencyChip turn={{ ...turn, voiceToVoiceMs: null }} />);
  expect(container.textContent).toBe('');
});
