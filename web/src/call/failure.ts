/** Why a call could not start or go on, and how a person mends it. */
import { describeProblem, sentence, type Problem } from '../api/problem';

export type Failure =
  | { readonly kind: 'insecure-origin' }
  | { readonly kind: 'unsupported-browser' }
  | { readonly kind: 'microphone-denied' }
  | { readonly kind: 'microphone-missing' }
  | { readonly kind: 'microphone-busy' }
  | { readonly kind: 'server-unreachable' }
  | { readonly kind: 'server-busy' }
  | { readonly kind: 'server-not-ready'; readonly message: string }
  | { readonly kind: 'call-refused'; readonly message: string }
  | { readonly kind: 'no-audio-path' }
  | { readonly kind: 'connection-lost' };

export interface FailureNotice {
  readonly title: string;
  readonly advice: string;
  readonly action: string;
}

export class CallFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** A call that broke in any other way than `CallFailure` broke between us and the server. */
export function failureOf(error: unknown): Failure {
  return error instanceof CallFailure ? error.failure : { kind: 'connection-lost' };
}

export function microphoneFailure(error: unknown): Failure {
  const name = error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { kind: 'microphone-missing' };
    case 'NotReadableError':
    case 'AbortError':
      return { kind: 'microphone-busy' };
    default:
      return { kind: 'microphone-denied' };
  }
}

export function refusal(problem: Problem): Failure {
  if (problem.kind === 'unreachable') return { kind: 'server-unreachable' };
  const message = describeProblem(problem);
  if (problem.kind === 'garbled') return { kind: 'call-refused', message };
  if (problem.status === 429 || /busy|capacity|overload|rate_limit|too_many/.test(problem.code)) return { kind: 'server-busy' };
  // A proxy answers 502 and 504 in the server's stead.
  if (problem.status === 502 || problem.status === 504) return { kind: 'server-unreachable' };
  return problem.status === 503 ? { kind: 'server-not-ready', message } : { kind: 'call-refused', message };
}

export function describeFailure(failure: Failure): FailureNotice {
  switch (failure.kind) {
    case 'insecure-origin':
      return {
        title: 'This page needs HTTPS',
        advice: 'Browsers share the microphone only with HTTPS pages and with localhost. Open Antiphon at one of those addresses.',
        action: 'Try again',
      };
    case 'unsupported-browser':
      return {
        title: 'This browser cannot hold a call',
        advice: 'Antiphon speaks over WebRTC. Use a current Chrome, Edge, Firefox or Safari.',
        action: 'Try again',
      };
    case 'microphone-denied':
      return {
        title: 'The microphone is blocked',
        advice: 'Allow the microphone for this page in the address bar and in your system’s privacy settings, then try again.',
        action: 'Try again',
      };
    case 'microphone-missing':
      return {
        title: 'No microphone found',
        advice: 'Plug one in or switch it on, then try again.',
        action: 'Try again',
      };
    case 'microphone-busy':
      return {
        title: 'The microphone is in use',
        advice: 'Another program holds it. Close that program, then try again.',
        action: 'Try again',
      };
    case 'server-unreachable':
      return {
        title: 'Antiphon can’t be reached',
        advice: 'The server did not answer. Check that it is running and that you are online, then try again.',
        action: 'Try again',
      };
    case 'server-busy':
      return {
        title: 'All lines are busy',
        advice: 'Antiphon is holding as many calls as it can. Wait a moment, then try again.',
        action: 'Try again',
      };
    case 'server-not-ready':
      return { title: 'Antiphon isn’t ready', advice: sentence(failure.message), action: 'Try again' };
    case 'call-refused':
      return { title: 'The call was not accepted', advice: sentence(failure.message), action: 'Try again' };
    case 'no-audio-path':
      return {
        title: 'Audio can’t get through',
        advice: 'The server answered, but its audio port did not. A firewall or VPN may be blocking UDP.',
        action: 'Try again',
      };
    case 'connection-lost':
      return {
        title: 'The connection was lost',
        advice: 'The server ended the call or went away. What was said so far is kept.',
        action: 'Reconnect',
      };
    default:
      return failure satisfies never;
  }
}
