/**
 * What a handler, schema or iterator of the user's gave later, as a promise of this realm; `undefined` when it is there
 * already. Any thenable counts.
 */
export function asPromise(value: unknown): Promise<unknown> | undefined {
  if (value instanceof Promise) return value
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return 'then' in value && typeof value.then === 'function' ? Promise.resolve(value) : undefined
}
