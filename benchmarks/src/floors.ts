import type { Case } from './run/case.ts'
import { isMeasured, type Result, ratio } from './run/result.ts'

/** How fast a peer of ours must be at least, beside another. */
export interface Floor {
  readonly workload: string
  readonly peer: string
  readonly versus: string
  /** How much of the other's rate. */
  readonly atLeast: number
  /** Where it falls short by far: what it reaches by now, for it not to fall any further. */
  readonly byNow?: number
}

function floors(peer: string, versus: string, atLeast: number, workloads: readonly string[], byNow?: number): Floor[] {
  return workloads.map((workload) => ({ workload, peer, versus, atLeast, ...(byNow !== undefined && { byNow }) }))
}

/** The speed that qrpc must reach. */
export const FLOORS: readonly Floor[] = [
  ...floors('qrpc-mem', 'hand-written-queue', 0.8, ['sequential']),
  ...floors('qrpc-mem', 'bare', 1, ['server-stream']),
  // A stream per call.
  ...floors('qrpc-http2-streams', 'raw-http2', 0.9, ['sequential', 'parallel-64']),
  ...floors('qrpc-http2-streams', 'grpc-js', 1.5, ['sequential', 'parallel-64']),
  ...floors('qrpc-quic-streams', 'matrixai-quic', 10, ['sequential']),
  ...floors('qrpc-quic-streams', 'qrpc-http2-tls-streams', 1, ['sequential']),
  // A call takes two packets of the client's where the pump's takes one: the end of its half goes by itself.
  ...floors('qrpc-quic-streams', 'quic-pump', 0.7, ['parallel-64'], 0.5),
  ...floors('qrpc-quic-streams', 'qrpc-http2-tls-streams', 2, ['parallel-64'], 0.9),
  // Lanes.
  ...floors('qrpc-http2', 'qrpc-http2-streams', 8, ['parallel-64']),
  ...floors('qrpc-http2', 'qrpc-http2-streams', 1.3, ['sequential']),
  ...floors('qrpc-http2', 'raw-http2-calls', 0.8, ['parallel-64']),
  ...floors('qrpc-http2', 'grpc-js', 15, ['parallel-64']),
  ...floors('qrpc-quic', 'qrpc-quic-streams', 2, ['parallel-64']),
  // Streaming.
  ...floors('qrpc-http2', 'raw-http2', 0.7, ['server-stream', 'client-stream']),
  ...floors('qrpc-http2', 'raw-http2', 0.8, ['download']),
  ...floors('qrpc-quic', 'quic-pump', 0.7, ['server-stream']),
  ...floors('qrpc-quic', 'quic-pump', 0.8, ['download'], 0.55),
  ...floors('qrpc-combined', 'qrpc-http2', 0.98, ['sequential', 'parallel-64']),
]

/** How a floor stands. */
export interface Standing extends Floor {
  /** What it came to; none when one of the two has no figures. */
  readonly ratio: number | undefined
}

/** The cases that the floors need, and no more. */
export function casesOfFloors(cases: readonly Case[], of: readonly Floor[] = FLOORS): Case[] {
  return cases.flatMap((each) => {
    const involved = of
      .filter(({ workload }) => workload === each.workload)
      .flatMap(({ peer, versus }) => [peer, versus])
    const peers = each.peers.filter((peer) => involved.includes(peer))
    return peers.length > 1 && each.conditions === undefined ? [{ ...each, peers }] : []
  })
}

/** How the floors stand whose peers were measured. */
export function standings(results: readonly Result[]): Standing[] {
  const find = (workload: string, peer: string): Result | undefined =>
    results.find((result) => result.workload === workload && result.peer === peer && result.conditions === undefined)
  return FLOORS.flatMap((floor) => {
    const of = find(floor.workload, floor.peer)
    const to = find(floor.workload, floor.versus)
    if (of === undefined || to === undefined) return []
    return [{ ...floor, ratio: isMeasured(of) && isMeasured(to) ? ratio(of, to) : undefined }]
  })
}

/** Whether a floor is missed by so much that it cannot be noise: below `margin` of it, or nothing measured at all. */
export function isFarBelow({ ratio: reached, atLeast, byNow }: Standing, margin: number): boolean {
  return reached === undefined || reached < margin * (byNow ?? atLeast)
}
