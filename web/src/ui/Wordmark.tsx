/** The name beside its sign: two voices that overlap. */
export function Wordmark() {
  return (
    <p className="flex items-center gap-2.5 font-serif text-2xl">
      <svg viewBox="0 0 26 18" className="h-[0.7em]" fill="none" strokeWidth="2.2" aria-hidden>
        <circle cx="9" cy="9" r="7.5" className="stroke-you" />
        <circle cx="17" cy="9" r="7.5" className="stroke-antiphon" />
      </svg>
      Antiphon
    </p>
  );
}
