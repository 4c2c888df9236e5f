import { FAIR } from '../network/network.ts'
import type { PatientClock } from '../patient-clock.ts'
import type { ServerNode } from '../server/node.ts'
import type { Target } from '../site.ts'
import type { Fault } from './fault.ts'

/** Has a fault happen to a server or the network before it, and waits until it is over, if it is one that passes. */
export async function inflict(fault: Fault, { node, network }: Target, clock: PatientClock): Promise<void> {
  switch (fault.kind) {
    case 'cut':
      network?.cut(fault.manner)
      return
    case 'cut after':
      network?.cutAfter(fault.direction, fault.bytes, fault.manner)
      return
    case 'blackhole': {
      if (network === undefined) return
      network.weather = { ...network.weather, blackhole: fault.where }
      await clock.sleep(fault.ms)
      network.weather = { ...network.weather, blackhole: undefined }
      return
    }
    case 'weather':
      if (network !== undefined) network.weather = fault.weather
      return
    case 'move':
      network?.moveClients()
      return
    case 'kill':
      await node.kill()
      await startAgain(node, fault.awayMs, clock)
      return
    case 'restart':
      await node.stop(fault.graceMs)
      await startAgain(node, fault.awayMs, clock)
      return
  }
}

/** Others may have been given its port meanwhile. */
async function startAgain(node: ServerNode, awayMs: number, clock: PatientClock): Promise<void> {
  await clock.sleep(awayMs)
  for (let left = MOST_STARTS; ; left--) {
    try {
      return await node.start()
    } catch (error) {
      if (left === 0) throw error
      await clock.sleep(START_AGAIN_MS)
    }
  }
}

const MOST_STARTS = 50
const START_AGAIN_MS = 200

/** Ends what goes wrong with the network. */
export function heal({ network }: Target): void {
  if (network === undefined) return
  network.weather = FAIR
  network.cutAfter('up', Number.POSITIVE_INFINITY, 'end')
}
