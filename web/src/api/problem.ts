/** What went wrong with a request, from OpenAI-style errors and RFC 9457 problem details alike. */
import { asFields, parseFields, text } from './fields';

export type Problem =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'garbled' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string };

export function readProblem(status: number, body: string): Problem {
  const fields = parseFields(body);
  const error = asFields(fields?.error);
  const code = text(error, 'code') || text(error, 'type') || text(fields, 'type');
  const message = text(error, 'message') || text(fields, 'detail') || text(fields, 'title');
  return { kind: 'refused', status, code, message };
}

/** One sentence for a person. */
export function describeProblem(problem: Problem): string {
  switch (problem.kind) {
    case 'unreachable':
      return 'The server did not answer. Check that it is running, then try again.';
    case 'garbled':
      return 'The server sent an answer this page does not understand. Reload the page to get its newest version.';
    case 'refused':
      return problem.message === '' ? `The server answered with status ${problem.status}.` : sentence(problem.message);
    default:
      return problem satisfies never;
  }
}

/** Servers write messages as fragments or sentences; people read sentences. */
export function sentence(message: string): string {
  const trimmed = message.trim();
  const start = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(start) ? start : `${start}.`;
}
