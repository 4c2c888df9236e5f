/** Whether a handler, schema or iterator gave its result later: a promise of any library. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    value instanceof Promise || (typeof value === 'object' && value !== null && 'then' in value && 'catch' in value)
  )
}
