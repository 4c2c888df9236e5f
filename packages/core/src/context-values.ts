/** Names a value of a call, and gives its type. */
export interface ContextKey<T> {
  /** For people. */
  readonly description: string
  /** What is found where nothing was set. */
  readonly defaultValue: T
}

/**
 * A key for {@link ContextValues}: each is different from all others, whatever its description.
 *
 * @example `const User = createContextKey<string | undefined>('user', undefined)`
 */
export function createContextKey<T>(description: string, defaultValue: T): ContextKey<T> {
  return Object.freeze({ description, defaultValue })
}

/** What the interceptors of a call tell each other and the handler: who the caller is, say. It never leaves this side. */
export class ContextValues {
  #values: Map<ContextKey<unknown>, unknown> | undefined = undefined

  /** The value of the key, or the key's default. */
  get<T>(key: ContextKey<T>): T {
    return this.#values?.has(key) ? (this.#values.get(key) as T) : key.defaultValue
  }

  /** Sets the value of the key for the rest of the call. */
  set<T>(key: ContextKey<T>, value: T): void {
    this.#values ??= new Map()
    this.#values.set(key, value)
  }
}
