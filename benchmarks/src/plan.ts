import type { Conditions } from './network/conditions.ts'
import { parts } from './parts/index.ts'
import { peers as allPeers, peerEntry } from './peers/index.ts'
import type { Ability } from './peers/peer.ts'
import type { Case } from './run/case.ts'
import { populations } from './workloads/populations.ts'
import { rateWorkloads } from './workloads/rates.ts'

/** What in the suite is to be run. An empty list leaves all in. */
export interface Selection {
  readonly transports: readonly string[]
  readonly workloads: readonly string[]
  readonly peers: readonly string[]
  /** Whether to run under network conditions, too. */
  readonly network: boolean
}

/** The workload that is no work. */
const SIZES = 'sizes'
/** The workloads that make sense within one process. */
const LOCAL = ['sequential', 'parallel-64', 'server-stream', 'client-stream', 'bidi-stream', 'ping-pong']
const UNDER_NETWORK = ['sequential', 'parallel-64', 'download']
const PEERS_UNDER_NETWORK = ['raw-http2', 'qrpc-http2-tls', 'qrpc-quic', 'grpc-js']
const ROUND_TRIPS_MS = [1, 20, 100]
const LOSSES = [0, 0.01, 0.02]

/** The names that `--transport` takes. */
export const transports: readonly string[] = [...new Set(Object.values(allPeers).map(({ transport }) => transport))]
/** The names that `--workload` takes. */
export const workloads: readonly string[] = [
  ...Object.keys(rateWorkloads),
  ...Object.keys(populations),
  ...Object.keys(parts),
  SIZES,
]

/** What the others are compared with. */
export function baseline(workload: string, peer: string): string {
  if (!isLocal(peer)) return 'raw-http2'
  const needs: Ability | undefined = rateWorkloads[workload]?.needs
  if (needs === 'echo') return 'hand-written-queue'
  return needs === 'converse' ? 'message-channel' : 'bare'
}

export function isLocal(peer: string): boolean {
  return peerEntry(peer).transport === 'in process'
}

/** The cases of a selection, in the order in which they are run. */
export function plan(selection: Selection): Case[] {
  const chosen = Object.keys(allPeers).filter(
    (peer) => wanted(selection.peers, peer) && wanted(selection.transports, peerEntry(peer).transport),
  )
  const local = chosen.filter(isLocal)
  const remote = chosen.filter((peer) => !isLocal(peer))
  const names = workloads.filter((name) => wanted(selection.workloads, name))
  const rates = names.filter((name) => Object.hasOwn(rateWorkloads, name))
  const onNetwork = selection.network ? rates.filter((name) => UNDER_NETWORK.includes(name)) : []
  const cases: Case[] = [
    ...rates
      .filter((name) => LOCAL.includes(name))
      .map((workload) => ({ kind: 'rate' as const, workload, peers: local })),
    ...rates.map((workload) => ({ kind: 'rate' as const, workload, peers: concerned(workload, remote) })),
    ...names
      .filter((name) => Object.hasOwn(populations, name))
      .map((workload) => ({ kind: 'population' as const, workload, peers: remote })),
    ...onNetwork.flatMap((workload) => underNetwork(workload, remote)),
  ].filter(({ peers }) => peers.length > 0)
  if (selection.peers.length > 0 || selection.transports.length > 0) return cases
  const ofParts = names.filter((name) => Object.hasOwn(parts, name))
  return [...cases, ...ofParts.map((workload): Case => ({ kind: 'part', workload, peers: [] }))]
}

/** Those to which a workload is of interest. */
function concerned(workload: string, among: readonly string[]): readonly string[] {
  const { peers } = rateWorkloads[workload] ?? {}
  return peers === undefined ? among : among.filter((peer) => peers.includes(peer))
}

/** Whether what apps take is to be measured, too. */
export function wantsSizes({ workloads: names, transports: some }: Selection): boolean {
  return wanted(names, SIZES) && some.length === 0
}

function underNetwork(workload: string, remote: readonly string[]): Case[] {
  const peers = remote.filter((peer) => PEERS_UNDER_NETWORK.includes(peer))
  const conditions: Conditions[] = ROUND_TRIPS_MS.flatMap((roundTripMs) =>
    LOSSES.map((loss) => ({ roundTripMs, loss })),
  )
  return conditions.map((condition) => ({ kind: 'rate', workload, peers, conditions: condition }))
}

/** Whether a name is among those that were given, if any were. */
export function wanted(names: readonly string[], name: string): boolean {
  return names.length === 0 || names.includes(name)
}
