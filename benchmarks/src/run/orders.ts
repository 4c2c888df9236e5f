import type { Conditions } from '../network/conditions.ts'
import type { Rates } from '../parts/measure.ts'
import type { PeerSettings } from '../peers/peer.ts'

/** What a server's process is told to do. */
export type ServerOrder =
  /** Answered with the address. */
  { readonly order: 'serve'; readonly peer: string; readonly settings: PeerSettings } | MemoryOrder

/** What a client's process is told to do. */
export type ClientOrder =
  | { readonly order: 'connect'; readonly peer: string; readonly address: string; readonly settings: PeerSettings }
  /** Does the work until it is warm. Answered with how often it fits into a round. */
  | { readonly order: 'warm'; readonly workload: string; readonly warmMs: number; readonly roundMs: number }
  /** Answered with a {@link Sample}. */
  | { readonly order: 'round'; readonly workload: string; readonly count: number }
  /** Opens so many and keeps them open. Answered with the milliseconds it took. */
  | { readonly order: 'populate'; readonly population: string; readonly count: number }
  | MemoryOrder

/** What a network's process is told to do. */
export interface ProxyOrder {
  readonly order: 'relay'
  readonly protocol: 'tcp' | 'udp'
  /** Of the server. Answered with the one that clients are to use instead. */
  readonly address: string
  readonly conditions: Conditions
}

/** Answered with the bytes in use. */
interface MemoryOrder {
  readonly order: 'memory'
}

/** How a process answers an order. */
export type Answer<T> = { readonly value: T } | { readonly error: string }

/** What a round has shown. */
export interface Sample {
  readonly ms: number
  /** Of all rounds so far, where single operations are timed. */
  readonly latency?: Latency
}

/** Times of single operations, in us. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** What a process that measures a part of qrpc is told to do. Answered with {@link PartAnswer}. */
export interface PartOrder {
  readonly part: string
  readonly rounds: number
  readonly roundMs: number
}

export interface PartAnswer {
  readonly title: string
  readonly rates: readonly Rates[]
}
