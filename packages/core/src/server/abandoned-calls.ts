import type { Peer } from '../channel/channel.ts'

/**
 * Counts, for each client, the handlers that run on though their calls are over. A cancelled call leaves its place among
 * the concurrent streams to the next one at once; a client that makes calls and cancels them would have any number of
 * handlers run otherwise that do not stop at once (what CVE-2023-44487 does by resets of streams).
 */
export class AbandonedCalls {
  private readonly limit: number
  private readonly counts = new Map<Peer, number>()

  constructor(limit: number) {
    this.limit = limit
  }

  /** Whether the client must wait until some of them have ended. */
  tooMany(peer: Peer): boolean {
    return this.counts.size > 0 && (this.counts.get(peer) ?? 0) >= this.limit
  }

  add(peer: Peer): void {
    this.counts.set(peer, (this.counts.get(peer) ?? 0) + 1)
  }

  remove(peer: Peer): void {
    const left = (this.counts.get(peer) ?? 0) - 1
    if (left > 0) this.counts.set(peer, left)
    else this.counts.delete(peer)
  }
}
