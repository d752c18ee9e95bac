import { RotateCcw } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './Button';
import type { Loading } from './loading';

interface LoadedProps<T> {
  readonly data: Loading<T>;
  readonly onRetry: () => void;
  readonly children: (value: T) => ReactNode;
}

export function Loaded<T>({ data, onRetry, children }: LoadedProps<T>) {
  switch (data.status) {
    case 'loading':
      return (
        <p role="status" className="py-16 text-center text-sm text-muted">
          Loading…
        </p>
      );
    case 'failed':
      return (
        <div role="alert" className="flex flex-col items-center gap-4 py-16 text-center">
          <p className="max-w-xs text-pretty text-muted">{data.message}</p>
          <Button icon={RotateCcw} look="plain" onClick={onRetry}>
            Try again
          </Button>
        </div>
      );
    case 'ready':
      return children(data.value);
    default:
      return data satisfies never;
  }
}
