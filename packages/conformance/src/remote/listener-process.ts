import { type ChildProcess, fork } from 'node:child_process'
import { type Listener, RpcError } from '@qrpc/core'
import type { SetupOptions } from '../transport.ts'
import { Link } from './link.ts'
import { RemoteListener } from './remote-listener.ts'

// What has been told to end and does not is ended.
const LONGEST_END_MS = 2000

/** What runs in the other process, and how. */
export interface ListenerProcessOptions {
  /** The module that calls `relayListener`. */
  readonly module: URL | string
  /**
   * What Node.js is started with besides the module; for TypeScript `['--import', 'tsx']`, say. Default: nothing, not
   * even what this process was started with.
   */
  readonly execArgv?: readonly string[]
  /** The environment of the process. Default: that of this one. */
  readonly env?: NodeJS.ProcessEnv
  /** Handed to the module's function, by structured clone: keys and certificates, sizes of windows. Default: `undefined`. */
  readonly settings?: unknown
}

/** What a listener in another process is asked for. */
export interface RemoteListenOptions extends SetupOptions {
  /** Where a listener that is gone was reached. Default: anywhere. */
  readonly addresses?: readonly string[] | undefined
}

interface Running {
  readonly child: ChildProcess
  readonly link: Link
  readonly listeners: number[]
  /** Resolves when the module has called `relayListener`, or will not do so. */
  readonly ready: Promise<void>
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>
}

/**
 * A process that listens, while what it accepts is served in this one. As with any listener, this one stays alive for as
 * long as there is one, until `release` or `close`.
 */
export class ListenerProcess implements AsyncDisposable {
  readonly #options: ListenerProcessOptions
  #running: Running | undefined = undefined
  #lastListener = 0

  constructor(options: ListenerProcessOptions) {
    this.#options = options
  }

  /**
   * Starts the process unless it runs. `listen` does so, too.
   *
   * @throws RpcError (as a rejection) `unavailable` when the module ends or cannot be started.
   */
  async start(): Promise<void> {
    await this.#start()
  }

  /**
   * A listener there.
   *
   * @throws RpcError (as a rejection) what the module's function throws; as `start` does.
   */
  async listen({ addresses, ...setup }: RemoteListenOptions = {}): Promise<Listener> {
    const { child, link, listeners } = await this.#start()
    const listener = ++this.#lastListener
    const options = { ...setup, addresses, settings: this.#options.settings }
    listeners.push(listener)
    ref(child)
    const answer = await link.ask('listen', { listener, options })
    return new RemoteListener(link, listener, answer.addresses)
  }

  /** Resolves once all that was done to the listeners and their channels before is in effect. */
  async synchronize(): Promise<void> {
    await this.#running?.link.ask('synchronize', {})
  }

  /**
   * Closes the listeners and checks that nothing of them is left.
   *
   * @throws Error (as a rejection) that names the handles that are still open in that process, or a rejection that
   * nobody handled there.
   */
  async release(): Promise<void> {
    if (this.#running === undefined) return
    const { child, link, listeners } = this.#running
    const released = listeners.splice(0)
    link.forget(released)
    const { handles, rejections } = await link.ask('release', { listeners: released })
    unref(child)
    const [rejection] = rejections
    if (rejection !== undefined) {
      throw new Error('a rejection was left unhandled in the process of the listener', { cause: rejection })
    }
    if (handles.length > 0) {
      throw new Error(`handles were left open in the process of the listener: ${handles.join(', ')}`)
    }
  }

  /** Ends the process as a crash would, without a word to anybody, and resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#running === undefined) return
    const { child, ended } = this.#running
    ref(child)
    child.kill('SIGKILL')
    await ended
  }

  /** Ends the process with all that is open in it, and always resolves. */
  async close(): Promise<void> {
    if (this.#running === undefined) return
    const { child, ended } = this.#running
    ref(child)
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_END_MS)
    if (child.connected) child.disconnect()
    await ended
    clearTimeout(timer)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<Running> {
    const running = this.#running ?? this.#fork()
    await running.ready
    if (running.link.failure !== undefined) throw running.link.failure
    if (running.listeners.length === 0) unref(running.child)
    return running
  }

  #fork(): Running {
    const { module, execArgv = [], env = process.env } = this.#options
    const child = fork(module, {
      execArgv: [...execArgv],
      env,
      serialization: 'advanced',
      // Standard input is none of its business.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const link = new Link(child)
    const ended = new Promise<void>((resolve) => {
      const end = (how: string): void => {
        if (this.#running?.child === child) this.#running = undefined
        link.fail(new RpcError('unavailable', `the process of the listener (${String(module)}) ${how}`))
        resolve()
      }
      child.once('error', (error) => end(`failed: ${error.message}`))
      child.once('exit', (code, signal) => end(signal === null ? `exited with code ${code}` : `was ended by ${signal}`))
    })
    this.#running = { child, link, listeners: [], ready: Promise.race([link.ready, ended]), ended }
    return this.#running
  }
}

function ref(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

/** It no longer keeps this process alive; which is also why it does not count as a handle that a case left open. */
function unref(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}
