import { Caller } from '../calls/caller.ts'
import { planCall } from '../calls/plan.ts'
import type { Certificate } from '../certificate.ts'
import { Ledger } from '../ledger.ts'
import { PatientClock } from '../patient-clock.ts'
import { Random } from '../random.ts'
import { connect, type NetworkTransport } from '../transports.ts'

/** What the process of a client is told. */
export interface ClientSettings {
  readonly transport: NetworkTransport
  readonly address: string
  readonly certificate: Certificate
  readonly seed: number
  /** The number of its first call. */
  readonly firstId: number
  /** Calls at a time. */
  readonly callers: number
}

const settings = JSON.parse(process.argv[2] as string) as ClientSettings
process.on('disconnect', () => process.exit())

const { transport, address, certificate, seed, firstId, callers } = settings
const random = new Random(seed)
const ledger = new Ledger()
using clock = new PatientClock()
const caller = new Caller(connect(transport, address, certificate), ledger, clock)
caller.onSettled = (outcome) => outcome === 'success' && process.send?.(outcome)
let next = firstId
// Until it is killed.
await Promise.all(
  Array.from({ length: callers }, async () => {
    while (process.connected) await caller.call(planCall(next++, random))
  }),
)
