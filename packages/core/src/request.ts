import type { Channel } from './channel/channel.ts'
import { RpcError } from './error.ts'
import type { MetadataEntries } from './metadata.ts'

/** The first message of a call's client: what is called, with what. */
export interface Request {
  /** The path of the method: `compute/sqr`. */
  readonly method: string
  /** The metadata of the call. */
  readonly metadata: MetadataEntries | undefined
  /** How long the call may still take, in ms. */
  readonly timeout: number | undefined
  /** The request message. */
  readonly message: unknown
}

/** A request without metadata and timeout, as most are. One of these needs no check where it arrives by reference. */
export class PlainRequest implements Request {
  readonly method: string
  readonly metadata: MetadataEntries | undefined
  readonly timeout: number | undefined
  readonly message: unknown

  constructor(method: string, message: unknown) {
    this.method = method
    this.metadata = undefined
    this.timeout = undefined
    this.message = message
  }
}

/**
 * The first message of a channel that a listener accepted, checked, to dispatch a call by hand.
 *
 * @throws RpcError (or a rejection) `invalid_argument` when it is no request or there is none; what `receive` throws.
 */
export function readRequest(channel: Channel): Request | Promise<Request> {
  const first = channel.receive()
  return first instanceof Promise ? first.then(checkRequest) : checkRequest(first)
}

function checkRequest(first: unknown): Request {
  if (isRequest(first)) return first
  throw new RpcError(
    'invalid_argument',
    'the first message of a call must be its request: method, metadata, timeout, message',
  )
}

/** Whether a first message is a request, as far as that can be told. */
export function isRequest(value: unknown): value is Request {
  if (value instanceof PlainRequest) return true
  if (typeof value !== 'object' || value === null) return false
  const { method, metadata, timeout } = value as Partial<Request>
  return (
    typeof method === 'string' &&
    (timeout === undefined || (typeof timeout === 'number' && timeout >= 0)) &&
    (metadata === undefined || (Array.isArray(metadata) && metadata.every(isEntry)))
  )
}

function isEntry(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false
  return typeof value[0] === 'string' && (typeof value[1] === 'string' || value[1] instanceof Uint8Array)
}
