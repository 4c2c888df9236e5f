/** What a peer may be able to do; a workload needs one of them. */
export type Ability = 'echo' | 'download' | 'upload' | 'converse'

/** A stream in both directions, driven by hand. The server sends back what it gets. */
export interface Conversation {
  /** A promise says that the sender must wait. */
  send(message: Uint8Array): Promise<unknown> | undefined | void
  /** The next message, or `undefined` at the end. */
  receive(): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** Nothing more is sent. */
  end(): void
}

/** A client of the service that every peer serves. */
export interface PeerClient {
  /** @returns What the server sent back. */
  echo(message: Uint8Array): Promise<Uint8Array>
  /** Reads a stream of so many messages of that size. @returns The bytes that came. */
  download?(count: number, size: number): Promise<number>
  /** Sends a stream of so many times the message. @returns The bytes that the server says it got. */
  upload?(count: number, message: Uint8Array): Promise<number>
  converse?(): Conversation
  close(): unknown
}

/** How a peer is to be set up. */
export interface PeerSettings {
  /** The address at which a server is to listen, at any port. */
  readonly host: string
  /** Of the server, for transports that always encrypt and peers that are measured so. */
  readonly tls: { readonly ca: string; readonly key: string; readonly cert: string }
  /** Bytes that a datagram may have, where the path is not what its address looks like. */
  readonly maxDatagramSize?: number
}

/** One way to do RPC, set up as its users would. */
export interface Peer {
  /** What it cannot do, and why. */
  readonly cannot?: Readonly<Partial<Record<Ability, string>>>
  /** Starts a server, which ends with its process. None: client and server are one process. @returns Where clients find it. */
  serve?(settings: PeerSettings): Promise<string>
  connect(address: string, settings: PeerSettings): Promise<PeerClient>
}

/** Streams that a connection must be able to carry at a time. */
export const MAX_STREAMS = 20_000
/** Bytes of the small messages. */
export const SMALL = 20
/** Bytes of the messages of a bulk transfer. */
export const LARGE = 64 * 1024

/** A message of that size. */
export function message(size: number): Uint8Array {
  return new Uint8Array(size).fill(1)
}
