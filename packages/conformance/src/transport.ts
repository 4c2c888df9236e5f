import type { Connector, Listener } from '@qrpc/core'

/** What a case may ask of the transport that it sets up. */
export interface SetupOptions {
  /** Channels that a connection takes at a time. Default: the transport's own. */
  readonly maxConcurrentStreams?: number
}

/** One listener, and a connector to it. */
export interface TestBed {
  readonly connector: Connector
  readonly listener: Listener
  /** A listener where the first one was, which is closed by now. Needed for the `restart` capability. */
  restart?(): Listener | Promise<Listener>
  /** Ends the listener's process as a crash would. `restart` then starts another. Needed for the `kill` capability. */
  kill?(): Promise<void>
  /**
   * Resolves once all that was done to the listener and its channels before is in effect. Needed where that takes
   * longer than the turn in which it was done: where they are in another process.
   */
  synchronize?(): Promise<void>
  /** Frees what `setup` made, beyond the connector and the listeners: those are closed by then. */
  teardown?(): void | Promise<void>
}

/** What a transport can do beyond what every transport owes. */
export interface Capabilities {
  /** Messages (numbers) that a sender may be ahead of a reader that does not read. Byte windows count generously. */
  readonly window: number
  /** Messages (numbers) that each side can send before anybody reads. Default: `window`. */
  readonly guaranteedWindow?: number
  /** Whether a listener can be opened again where one was closed. */
  readonly restart: boolean
  /** Whether `maxConcurrentStreams` can be set. */
  readonly maxConcurrentStreams: boolean
  /**
   * Whether the listener is in another process, which can be killed, and a client learns of that at once. Needs
   * `restart`. Default: false.
   */
  readonly kill?: boolean
  /**
   * Whether messages are encoded by a codec with the table of values of docs/wire-format.md, and in this process on both
   * sides, so that the cases can send what does not travel. Default: false.
   */
  readonly serializes?: boolean
  /** Whether a message may have 16 MiB and no more. Needs `serializes`. Default: false. */
  readonly limitsMessages?: boolean
}

/** A transport as the kit sees it. */
export interface TransportUnderTest {
  /** Makes what the cases share, such as a process, unless it is there. Called before each case. */
  start?(): void | Promise<void>
  /** Frees what `start` made. Called after the last case. */
  stop?(): void | Promise<void>
  /** A fresh listener and connector for one case. */
  setup(options: SetupOptions): TestBed | Promise<TestBed>
  readonly capabilities: Capabilities
}
