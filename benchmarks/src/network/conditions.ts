/** What stands between client and server. */
export interface Conditions {
  /** How long a message takes there and back, in ms, besides what the machine takes. */
  readonly roundTripMs: number
  /** The share of packets that is lost, each way. */
  readonly loss: number
}

/** As tables name it. */
export function describeConditions({ roundTripMs, loss }: Conditions): string {
  return `${roundTripMs} ms, ${loss * 100} % loss`
}

/** Bytes of a datagram on a path that is no loopback. */
export const NETWORK_DATAGRAM = 1350
