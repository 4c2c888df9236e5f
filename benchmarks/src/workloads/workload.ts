import type { RecordableHistogram } from 'node:perf_hooks'
import type { Ability, PeerClient } from '../peers/peer.ts'

/** Work that is done over and over, and how fast. */
export interface RateWorkload {
  readonly title: string
  /** What of the client it uses. */
  readonly needs: Ability
  /** What is counted. */
  readonly unit: 'calls/s' | 'messages/s' | 'MB/s' | 'connections/s'
  /** How much of the unit one operation is. Default: 1. */
  readonly unitsEach?: number
  /** The number of operations is a multiple of it. Default: 1. */
  readonly multiple?: number
  /** The peers to which it is of interest. Default: all that can do it. */
  readonly peers?: readonly string[]
  /** Operations in one round at most. Default: as many as fit into the time of a round. */
  readonly most?: number
  /**
   * Does the work so many times.
   *
   * @param times Takes the times of single operations in ns, where they can be told. None in one process, where to take
   * them costs more than the work.
   * @throws Error when what came back is not what should have.
   */
  run(site: ClientSite, count: number, times?: RecordableHistogram): Promise<unknown>
}

/** What the work is done with. */
export interface ClientSite {
  readonly client: PeerClient
  /** Opens another connection. */
  readonly connect: () => Promise<PeerClient>
}

/** The ability, which the suite has made sure of. */
export function able<A extends Ability>(client: PeerClient, ability: A): NonNullable<PeerClient[A]> {
  const able = client[ability]
  if (able === undefined) throw new Error(`this client cannot ${ability}`)
  return able.bind(client) as NonNullable<PeerClient[A]>
}

/** @throws Error when a number is not what it must be. */
export function expectEqual(what: string, got: number, expected: number): void {
  if (got !== expected) throw new Error(`${what}: ${got} instead of ${expected}`)
}
