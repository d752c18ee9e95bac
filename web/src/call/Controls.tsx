import { Mic, MicOff, PhoneOff, RotateCcw } from 'lucide-react';
import { Button } from '../ui/Button';
import { describeFailure } from './failure';
import { isLive, type CallState } from './state';

interface ControlsProps {
  readonly call: CallState;
  readonly onStart: () => void;
  readonly onToggleMute: () => void;
  readonly onHangUp: () => void;
}

export function Controls({ call, onStart, onToggleMute, onHangUp }: ControlsProps) {
  if (!isLive(call.phase)) {
    return (
      <Button icon={call.phase.name === 'failed' ? RotateCcw : Mic} look="primary" onClick={onStart}>
        {startLabel(call)}
      </Button>
    );
  }
  const muted = call.microphone === 'muted';
  return (
    <div className="flex items-center gap-3">
      <Button
        icon={muted ? MicOff : Mic}
        look={muted ? 'pressed' : 'plain'}
        pressed={muted}
        shortcut="Space"
        onClick={onToggleMute}
      >
        {muted ? 'Muted' : 'Mute'}
      </Button>
      <Button icon={PhoneOff} look="danger" shortcut="Escape" onClick={onHangUp}>
        Hang up
      </Button>
    </div>
  );
}

function startLabel({ phase }: CallState): string {
  if (phase.name === 'failed') return describeFailure(phase.failure).action;
  return phase.name === 'ended' ? 'Talk again' : 'Start talking';
}
