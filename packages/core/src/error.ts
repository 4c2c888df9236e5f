import { type Code, isCode } from './code.ts'

/** What makes an {@link RpcError} besides its code and message. */
export interface RpcErrorOptions<Name extends string = string, Data = unknown> {
  /** The name under which the contract declares the error. Default: `RpcError`. */
  readonly name?: Name
  /** The data that the contract declares for the error. It travels to the peer. */
  readonly data?: Data
  /** What caused the error. It stays on this side. */
  readonly cause?: unknown
}

const BRAND: unique symbol = Symbol.for('qrpc.RpcError') as never

/**
 * The one error that calls, channels, connectors and listeners fail with.
 *
 * What crosses to the peer is `code`, `message`, `name` and `data`; never `cause` or `stack`.
 * `instanceof RpcError` also holds for errors of another copy of this package.
 */
export class RpcError<Name extends string = string, Data = unknown> extends Error {
  /** `RpcError`, or the name of an error that the contract declares. Narrow by it to get the type of `data`. */
  override readonly name: Name
  /** Why the call failed. */
  readonly code: Code
  /** The data of a declared error, or `{ issues }` where a schema refused a message. */
  readonly data: Data

  /**
   * @param code Why the call failed.
   * @param message For people. It travels to the peer. Default: the code.
   */
  constructor(code: Code, message?: string, options?: RpcErrorOptions<Name, Data>) {
    super(message ?? code, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined)
    this.name = options?.name ?? ('RpcError' as Name)
    this.code = isCode(code) ? code : 'unknown'
    this.data = options?.data as Data
    Object.defineProperty(this, BRAND, { value: true })
  }

  /**
   * `value` itself where it is an `RpcError`, and else a new error with `code` whose `cause` is `value`.
   *
   * @param code Default: `unknown`.
   */
  static from(value: unknown, code: Code = 'unknown'): RpcError {
    if (value instanceof RpcError) return value
    return new RpcError(code, messageOf(value), { cause: value })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a subclass inherits this, and is its own brand.
    if (this !== RpcError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

/**
 * The error as the peer of a channel sees it: the same code, message, name and data; no cause, no stack of this side.
 * A transport that passes messages by reference calls it at the border.
 */
export function errorForPeer(error: RpcError): RpcError {
  const name = error.name
  return new RpcError(error.code, error.message, { name, data: error.data })
}

/** Anything can be thrown, also what cannot be turned into a string. */
function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown)
  } catch {
    return 'something without a text was thrown'
  }
}
