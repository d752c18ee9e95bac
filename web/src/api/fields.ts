/** Reads typed fields out of JSON that may be anything at all. */

export type Fields = Readonly<Record<string, unknown>>;

export function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function parseFields(json: string): Fields | null {
  try {
    return asFields(JSON.parse(json));
  } catch {
    return null;
  }
}

/** The string, or "" where there is none: texts that are missing read as empty. */
export function text(fields: Fields | null, key: string): string {
  const value = fields?.[key];
  return typeof value === 'string' ? value : '';
}

export function textOrNull(fields: Fields | null, key: string): string | null {
  const value = fields?.[key];
  return typeof value === 'string' ? value : null;
}

export function numberOrNull(fields: Fields | null, key: string): number | null {
  const value = fields?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function oneOf<const T extends string>(fields: Fields | null, key: string, allowed: readonly T[]): T | null {
  const value = fields?.[key];
  return allowed.find((candidate) => candidate === value) ?? null;
}

export function list(fields: Fields | null, key: string): readonly unknown[] {
  const value = fields?.[key];
  return Array.isArray(value) ? value : [];
}
