import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import { createConnection, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { RpcError } from '@qrpc/core'
import { LimitError } from '@qrpc/wire'
import type { Target } from './target.ts'

/** How a session is made. */
export interface DialSettings {
  readonly target: Target
  readonly tls: ConnectionOptions | undefined
  readonly createConnection: (() => Duplex | Promise<Duplex>) | undefined
  readonly session: (() => ClientHttp2Session | Promise<ClientHttp2Session>) | undefined
  readonly connectTimeoutMs: number
  readonly http2: SecureClientSessionOptions
}

/** A session, and the socket below it; not that of a session that was made elsewhere. */
export interface Dialled {
  readonly session: ClientHttp2Session
  readonly socket: Duplex | undefined
}

/**
 * A session whose peer has sent its SETTINGS: only then it is known to speak HTTP/2, and how many streams it takes.
 *
 * @throws RpcError (as a rejection) `unavailable` with the cause, or the signal's reason.
 */
export async function dialSession(settings: DialSettings, signal: AbortSignal): Promise<Dialled> {
  const { address } = settings.target
  const attempt = new Attempt(address, settings.connectTimeoutMs, signal)
  try {
    return await openSession(settings, attempt)
  } catch (error) {
    attempt.destroy()
    if (error instanceof RpcError) throw error
    throw new RpcError('unavailable', `cannot connect to ${address}: ${reasonOf(error)}`, { cause: error })
  } finally {
    attempt.end()
  }
}

async function openSession(settings: DialSettings, attempt: Attempt): Promise<Dialled> {
  if (settings.session !== undefined) {
    const given = await attempt.own(settings.session())
    if (given.connecting) await attempt.event(given, 'connect')
    // Its SETTINGS may have come long ago; they come before the answer to a PING.
    await attempt.within(
      new Promise<void>((resolve, reject) => given.ping((error) => (error ? reject(error) : resolve()))),
    )
    return { session: given, socket: undefined }
  }
  const socket = await openSocket(settings, attempt)
  // A TLS alert after the handshake, as for a client certificate that is missing, would leave the socket open, and the
  // session destroyed without a word.
  socket.on('error', () => socket.destroy())
  const session = await attempt.own(
    connect(settings.target.authority, { ...settings.http2, createConnection: () => socket }),
  )
  await attempt.event(session, 'remoteSettings')
  return { session, socket }
}

async function openSocket(settings: DialSettings, attempt: Attempt): Promise<Duplex> {
  const { target, tls } = settings
  if (settings.createConnection !== undefined) return attempt.own(settings.createConnection())
  const where = target.path === undefined ? { host: target.host, port: target.port } : { path: target.path }
  if (!target.secure) {
    const socket = await attempt.own(createConnection({ noDelay: true, ...where }))
    await attempt.event(socket, 'connect')
    return socket
  }
  const servername = isIP(target.host) === 0 ? target.host : ''
  const socket = await attempt.own(connectTls({ ...where, servername, ...tls, ALPNProtocols: ['h2'] }))
  await attempt.event(socket, 'secureConnect')
  socket.setNoDelay(true)
  if (socket.alpnProtocol !== 'h2') throw new Error('the server does not speak HTTP/2 (ALPN did not agree on h2)')
  return socket
}

type Owned = Socket | TLSSocket | ClientHttp2Session | Duplex

/** One attempt to connect: what it has opened, and what can end it early. */
class Attempt {
  readonly #failed: Promise<never>
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal
  #onAbort!: () => void
  readonly #owned: Owned[] = []
  #over = false

  constructor(address: string, timeoutMs: number, signal: AbortSignal) {
    let fail!: (error: RpcError) => void
    this.#failed = new Promise((_, reject) => {
      fail = reject
    })
    this.#failed.catch(() => {})
    this.#signal = signal
    this.#onAbort = () => fail(RpcError.from(signal.reason, 'cancelled'))
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setTimeout(() => {
      const message = `cannot connect to ${address}: no answer within ${timeoutMs} ms`
      fail(new LimitError('connectTimeoutMs', 'unavailable', message))
    }, timeoutMs)
  }

  /** What is destroyed when the attempt fails, also if it comes only then. */
  async own<T extends Owned>(resource: T | Promise<T>): Promise<T> {
    const owned =
      resource instanceof Promise ? await this.within(resource.then((late) => this.#take(late))) : this.#take(resource)
    return owned
  }

  /** The outcome of the work, unless the attempt fails before it. */
  within<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed])
  }

  async event(emitter: NodeJS.EventEmitter, name: string): Promise<void> {
    let onEvent!: () => void
    let onError!: (error: Error) => void
    const happened = new Promise<void>((resolve, reject) => {
      onEvent = resolve
      onError = reject
      emitter.once(name, onEvent)
      emitter.once('error', onError)
      emitter.once('close', () => reject(new Error('the connection was closed')))
    })
    try {
      await this.within(happened)
    } finally {
      emitter.off(name, onEvent)
      // What has failed may fail again while it is taken down.
      emitter.on('error', ignore)
    }
  }

  destroy(): void {
    this.#over = true
    for (const resource of this.#owned) resource.destroy()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #take<T extends Owned>(resource: T): T {
    this.#owned.push(resource)
    if (this.#over) resource.destroy()
    return resource
  }
}

function ignore(): void {}

/** Several addresses of one host that all failed give an error without a text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
