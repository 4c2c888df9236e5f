import {
  type CheckedCborLimits,
  FREE_WEIGHT,
  MAX_BIGNUM_SIZE,
  WEIGHT_OF_BYTES,
  WEIGHT_OF_CONTAINER,
  WEIGHT_OF_ITEM,
  WEIGHT_OF_TAG,
} from './limits.ts'
import { mapStep, propertyStep, Refusal } from './refusal.ts'

// The lib of ES2023 does not have it, Node 20 does.
type Wellformed = string & { isWellFormed(): boolean }

const MAX_UINT64 = 1n << 64n
const MAX_BIGNUM = 1n << BigInt(MAX_BIGNUM_SIZE * 8)

const TYPED_ARRAYS: ReadonlySet<unknown> = new Set([
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
])

/**
 * Finds what would not come back as it is, before anything is encoded, and counts as the {@link Scanner} of the peer
 * will.
 */
export class ValueChecker {
  readonly #limits: CheckedCborLimits
  #items = 0
  // Of the items, those that stand for bytes of bignums and weigh nothing.
  #bignumBytes = 0
  // Beyond what each item weighs.
  #weight = 0
  #size = 0
  #negativeZero = false

  constructor(limits: CheckedCborLimits) {
    this.#limits = limits
  }

  /** Whether the value has a -0 somewhere. */
  get hasNegativeZero(): boolean {
    return this.#negativeZero
  }

  /** Whether a message of that many bytes stays within `maxExpansion`. */
  fits(size: number): boolean {
    const weight = this.#weight + (this.#items - this.#bignumBytes) * WEIGHT_OF_ITEM
    return weight <= FREE_WEIGHT || weight <= FREE_WEIGHT + size * this.#limits.maxExpansion
  }

  /** `undefined` where the value can be encoded. */
  check(value: unknown): Refusal | undefined {
    this.#items = 0
    this.#bignumBytes = 0
    this.#weight = 0
    this.#size = 0
    this.#negativeZero = false
    try {
      const refusal = this.#check(value, 0)
      if (refusal === undefined && this.#items > this.#limits.maxItems) return this.#tooManyItems()
      return refusal
    } catch (error) {
      return Refusal.thrown(error)
    }
  }

  #check(value: unknown, depth: number): Refusal | undefined {
    if (++this.#items > this.#limits.maxItems) return this.#tooManyItems()
    switch (typeof value) {
      case 'number':
        if (value === 0 && Object.is(value, -0)) this.#negativeZero = true
        return undefined
      case 'string':
        return this.#checkText(value)
      case 'boolean':
      case 'undefined':
        return undefined
      case 'object':
        return value === null ? undefined : this.#checkObject(value, depth)
      case 'bigint':
        return this.#checkBigInt(value)
      case 'function':
      case 'symbol':
        return new Refusal(`is a ${typeof value}, which cannot be sent`)
    }
  }

  #checkObject(value: object, depth: number): Refusal | undefined {
    // An object's own property of that name changes how cbor-x sees it, so nothing but the two together will do.
    switch (value.constructor) {
      case Object:
        if (Object.getPrototypeOf(value) === Object.prototype) return this.#checkPlain(value, depth)
        break
      case Array:
        if (Array.isArray(value)) return this.#checkArray(value, depth)
        break
      case Map:
        if (value instanceof Map) return this.#checkMap(value, depth)
        break
      case Set:
        if (value instanceof Set) return this.#checkSet(value, depth)
        break
      case Date:
        if (value instanceof Date) return this.#checkDate(value)
        break
      default:
        if (value instanceof Uint8Array) return this.#checkBytes(value)
        if (ArrayBuffer.isView(value) && TYPED_ARRAYS.has(value.constructor)) {
          this.#countTag()
          return this.#checkBytes(value)
        }
        if (isPlain(value)) return this.#checkPlain(value, depth)
    }
    return new Refusal(whatIsWrongWith(value))
  }

  #checkPlain(value: object, depth: number): Refusal | undefined {
    const deep = this.#open(value, depth)
    if (deep !== undefined) return deep
    const keys = Object.keys(value)
    let i = 0
    try {
      for (; i < keys.length; i++) {
        const key = keys[i] as string
        if (key === '__proto__') return new Refusal('is a property that cannot be sent').within(value, '["__proto__"]')
        this.#items++
        const refusal =
          this.#checkText(key) ?? this.#check((value as Readonly<Record<string, unknown>>)[key], depth + 1)
        if (refusal !== undefined) return refusal.within(value, propertyStep(key))
      }
    } catch (error) {
      return Refusal.thrown(error).within(value, propertyStep(keys[i] as string))
    }
    if (Object.getOwnPropertySymbols(value).length > 0) {
      return new Refusal('has a property whose key is a symbol, which cannot be sent')
    }
    return undefined
  }

  #checkArray(value: readonly unknown[], depth: number): Refusal | undefined {
    const deep = this.#open(value, depth)
    if (deep !== undefined) return deep
    let i = 0
    try {
      for (; i < value.length; i++) {
        const item = value[i]
        const refusal =
          item === undefined && !Object.hasOwn(value, i)
            ? new Refusal('is a hole in an array: give undefined or null')
            : this.#check(item, depth + 1)
        if (refusal !== undefined) return refusal.within(value, `[${i}]`)
      }
    } catch (error) {
      return Refusal.thrown(error).within(value, `[${i}]`)
    }
    return undefined
  }

  #checkMap(value: ReadonlyMap<unknown, unknown>, depth: number): Refusal | undefined {
    this.#countTag()
    const deep = this.#open(value, depth)
    if (deep !== undefined) return deep
    let i = 0
    for (const [key, item] of value) {
      const refusal = this.#checkInside(key, depth + 1)
      if (refusal !== undefined) return refusal.within(value, `.keys()[${i}]`)
      const refusedItem = this.#checkInside(item, depth + 1)
      if (refusedItem !== undefined) return refusedItem.within(value, mapStep(key))
      i++
    }
    return undefined
  }

  #checkSet(value: ReadonlySet<unknown>, depth: number): Refusal | undefined {
    this.#countTag()
    const deep = this.#open(value, depth)
    if (deep !== undefined) return deep
    let i = 0
    for (const item of value) {
      const refusal = this.#checkInside(item, depth + 1)
      if (refusal !== undefined) return refusal.within(value, `.values()[${i}]`)
      i++
    }
    return undefined
  }

  /** A proxy may throw whatever is done to it. */
  #checkInside(value: unknown, depth: number): Refusal | undefined {
    try {
      return this.#check(value, depth)
    } catch (error) {
      return Refusal.thrown(error)
    }
  }

  #checkDate(value: Date): Refusal | undefined {
    this.#countTag()
    const ms = value.getTime()
    if (Number.isNaN(ms)) return new Refusal('is an invalid Date')
    // It travels as seconds, and the peer rounds to ms: from 2^42 s to 2^52 ms a quarter of all dates would be one off.
    if (Math.round((ms / 1000) * 1000) === ms) return undefined
    return new Refusal(
      'is a Date that is not exact to the ms as a number of seconds, as some beyond the year 137,000 are',
    )
  }

  #checkText(value: string): Refusal | undefined {
    if (!(value as Wellformed).isWellFormed()) {
      return new Refusal('is a string with a lone surrogate, which UTF-8 cannot express')
    }
    return this.#grow(value.length)
  }

  #checkBytes(value: ArrayBufferView): Refusal | undefined {
    this.#weight += WEIGHT_OF_BYTES
    return this.#grow(value.byteLength)
  }

  #checkBigInt(value: bigint): Refusal | undefined {
    if (value > -MAX_UINT64 && value < MAX_UINT64) return undefined
    if (value < -MAX_BIGNUM || value >= MAX_BIGNUM) {
      return new Refusal(`is a bigint of more than ${MAX_BIGNUM_SIZE} bytes`)
    }
    this.#countTag()
    this.#weight += WEIGHT_OF_BYTES
    // As many bytes as cbor-x will write: those of -1 - value for a negative one.
    const digits = (value < 0n ? -1n - value : value).toString(16).length
    const size = (digits + 1) >> 1
    this.#items += size
    this.#bignumBytes += size
    return undefined
  }

  #open(container: object, depth: number): Refusal | undefined {
    this.#weight += WEIGHT_OF_CONTAINER
    if (depth < this.#limits.maxDepth) return undefined
    return new Refusal(`is more than ${this.#limits.maxDepth} deep (maxDepth)`).at(container)
  }

  #countTag(): void {
    this.#items++
    this.#weight += WEIGHT_OF_TAG
  }

  #grow(size: number): Refusal | undefined {
    this.#size += size
    if (this.#size <= this.#limits.maxMessageSize) return undefined
    return new Refusal(
      `is where the message exceeds ${this.#limits.maxMessageSize} bytes (maxMessageSize)`,
      'resource_exhausted',
    )
  }

  #tooManyItems(): Refusal {
    return new Refusal(`is beyond the ${this.#limits.maxItems} items of a message (maxItems)`)
  }
}

function isPlain(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  // An object literal of another realm, such as `vm` and Jest make.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

function whatIsWrongWith(value: object): string {
  if (value instanceof ArrayBuffer || value instanceof DataView) {
    return `is a ${value instanceof DataView ? 'DataView' : 'ArrayBuffer'}: wrap its bytes in a Uint8Array`
  }
  const name = typeof value.constructor === 'function' ? value.constructor.name : ''
  return `is an object of class ${name === '' ? 'unknown' : name.slice(0, 80)}, which cannot be sent: give a plain object`
}
