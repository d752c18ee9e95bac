/** Reading JSON from the server, whatever it answers. */
import { parseFields, type Fields } from './fields';
import { readProblem, type Problem } from './problem';

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export async function get<T>(path: string, read: (body: Fields) => T | null): Promise<Answer<T>> {
  try {
    const response = await fetch(path, { headers: { accept: 'application/json' } });
    const body = await response.text();
    if (!response.ok) return { ok: false, problem: readProblem(response.status, body) };
    const fields = parseFields(body);
    const value = fields && read(fields);
    if (value === null) return { ok: false, problem: { kind: 'garbled' } };
    return { ok: true, value };
  } catch {
    return { ok: false, problem: { kind: 'unreachable' } };
  }
}
