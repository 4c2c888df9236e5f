import { RpcError } from './error.ts'

/** A metadata value: text, or bytes. */
export type MetadataValue = string | Uint8Array

/** What a call takes as metadata: an object of values or lists of values, pairs, or another {@link Metadata}. */
export type MetadataInit =
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>
  | Iterable<readonly [key: string, value: MetadataValue]>

/** The pairs in which metadata travels. Keys are in lower case; a key may come several times. */
export type MetadataEntries = readonly (readonly [key: string, value: MetadataValue])[]

// A token of RFC 9110, section 5.6.2: what HTTP allows in the name of a field.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Keys and values that accompany a call, as HTTP headers accompany a request: keys are case-insensitive,
 * values are strings or bytes, and a key can have several.
 */
export class Metadata implements Iterable<readonly [key: string, value: MetadataValue]> {
  // Most calls have none.
  #values: Map<string, MetadataValue[]> | undefined = undefined

  /** @throws RpcError `invalid_argument` for a key that is no HTTP token (RFC 9110, section 5.6.2) or a value that is neither string nor bytes. */
  constructor(init?: MetadataInit) {
    if (init === undefined) return
    if (typeof init !== 'object' || init === null) {
      throw new RpcError('invalid_argument', 'metadata: give an object of values, pairs, or a Metadata')
    }
    if (Symbol.iterator in init) {
      for (const [key, value] of init as Iterable<readonly [string, MetadataValue]>) this.append(key, value)
      return
    }
    for (const [key, values] of Object.entries(init)) {
      for (const value of Array.isArray(values) ? (values as readonly MetadataValue[]) : [values as MetadataValue]) {
        this.append(key, value)
      }
    }
  }

  /** The first value of the key. */
  get(key: string): MetadataValue | undefined {
    return this.#values?.get(key.toLowerCase())?.[0]
  }

  /** All values of the key, in the order in which they were added. */
  getAll(key: string): readonly MetadataValue[] {
    return [...(this.#values?.get(key.toLowerCase()) ?? [])]
  }

  /** Whether the key has a value. */
  has(key: string): boolean {
    return this.#values?.has(key.toLowerCase()) ?? false
  }

  /** Adds a value to those of the key. Throws as the constructor does. */
  append(key: string, value: MetadataValue): void {
    const name = checkKey(key)
    checkValue(name, value)
    this.#values ??= new Map()
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  /** Replaces all values of the key. Throws as the constructor does. */
  set(key: string, value: MetadataValue): void {
    const name = checkKey(key)
    checkValue(name, value)
    this.#values ??= new Map()
    this.#values.set(name, [value])
  }

  /** Removes all values of the key. */
  delete(key: string): void {
    this.#values?.delete(key.toLowerCase())
  }

  *[Symbol.iterator](): IterableIterator<readonly [key: string, value: MetadataValue]> {
    if (this.#values === undefined) return
    for (const [key, values] of this.#values) for (const value of values) yield [key, value]
  }
}

function checkKey(key: unknown): string {
  if (typeof key === 'string' && TOKEN.test(key)) return key.toLowerCase()
  throw new RpcError(
    'invalid_argument',
    `metadata key ${JSON.stringify(key)}: use letters, digits and -_. as in the name of an HTTP header`,
  )
}

function checkValue(key: string, value: unknown): void {
  if (typeof value === 'string' || value instanceof Uint8Array) return
  throw new RpcError(
    'invalid_argument',
    `metadata "${key}" has a value of type ${typeof value}: give a string or a Uint8Array`,
  )
}
