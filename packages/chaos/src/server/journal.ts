/** Hears what handlers do. What it is told of must survive the process. */
export interface Journal {
  /** A handler runs for the call of that number. */
  started(id: number): void
  /** Its `finally` has run. */
  ended(id: number): void
  /** Something has happened that must not. */
  wrong(what: string): void
}
