import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { peerEntry } from './peers/index.ts'
import type { PeerClient, PeerSettings } from './peers/peer.ts'
import { memoryInUse, obey } from './run/obey.ts'
import type { ClientOrder, Latency, Sample } from './run/orders.ts'
import { population, rateWorkload } from './workloads/index.ts'
import { ABREAST } from './workloads/populations.ts'
import type { ClientSite, RateWorkload } from './workloads/workload.ts'

/** Rounds of the warm-up at most: each does twice the work of the one before. */
const MAX_DOUBLINGS = 40

/** Operations after which the code that they run is compiled, on a machine that is busy with something else, too. */
const WARM_OPERATIONS = 5000
/** How many times the warm-up may take to get there. */
const MOST_WARM_UPS = 3

let site: ClientSite | undefined
let times: RecordableHistogram | undefined
const held: unknown[] = []

obey((order: ClientOrder) => {
  switch (order.order) {
    case 'connect':
      return connect(order.peer, order.address, order.settings)
    case 'warm':
      return warm(rateWorkload(order.workload), order.warmMs, order.roundMs)
    case 'round':
      return round(rateWorkload(order.workload), order.count)
    case 'populate':
      return populate(order.population, order.count)
    case 'memory':
      return memoryInUse()
  }
})

async function connect(name: string, address: string, settings: PeerSettings): Promise<void> {
  const { load, transport } = peerEntry(name)
  const { default: peer } = await load()
  if (transport !== 'in process') times = createHistogram()
  const open = (): Promise<PeerClient> => peer.connect(address, settings)
  site = { client: await open(), connect: open }
}

async function warm(workload: RateWorkload, warmMs: number, roundMs: number): Promise<number> {
  const { most = Number.POSITIVE_INFINITY, multiple = 1 } = workload
  const start = performance.now()
  let done = 0
  let count = multiple
  let ms = 0
  const work = async (): Promise<void> => {
    ms = await timeOf(workload, count)
    done += count
  }
  for (let doublings = 0; doublings < MAX_DOUBLINGS; doublings++) {
    await work()
    if (ms > roundMs / 4 || count >= most) break
    count = Math.min(most, count * 2)
  }
  const elapsed = (): number => performance.now() - start
  do await work()
  while (elapsed() < warmMs || (done < WARM_OPERATIONS && elapsed() < MOST_WARM_UPS * warmMs))
  times?.reset()
  const fitting = Math.ceil((count * roundMs) / ms / multiple) * multiple
  return Math.min(most, Math.max(multiple, fitting))
}

async function round(workload: RateWorkload, count: number): Promise<Sample> {
  const ms = await timeOf(workload, count)
  return times === undefined || times.count === 0 ? { ms } : { ms, latency: latency(times) }
}

async function timeOf(workload: RateWorkload, count: number): Promise<number> {
  const start = performance.now()
  await workload.run(connected(), count, times)
  return performance.now() - start
}

function latency(of: RecordableHistogram): Latency {
  const us = (percentile: number): number => of.percentile(percentile) / 1000
  return { p50: us(50), p99: us(99), p999: us(99.9) }
}

async function populate(name: string, count: number): Promise<number> {
  const { open } = population(name)
  const start = performance.now()
  let left = count
  const openSome = async (): Promise<void> => {
    while (left-- > 0) held.push(await open(connected()))
  }
  await Promise.all(Array.from({ length: ABREAST }, openSome))
  return performance.now() - start
}

function connected(): ClientSite {
  if (site === undefined) throw new Error('not connected')
  return site
}
