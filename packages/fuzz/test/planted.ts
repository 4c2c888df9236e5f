import { RpcError } from '@qrpc/core'
import { DECODER_BUDGET, type Subject, type Target } from '../src/engine/target.ts'

const SPIN_MS = 100

/** A decoder that refuses what it should, but for what a fuzzer has to find its way to, step by step. */
function throwsTypeError(input: Uint8Array): void {
  const half = (at: number): number => (input[at] ?? 0) >> 4
  if (half(0) !== 0x7) throw new RpcError('invalid_argument')
  if (half(1) !== 0xa) throw new RpcError('invalid_argument')
  if (half(2) !== 0x5) throw new RpcError('invalid_argument')
  if (half(3) !== 0xb) throw new RpcError('invalid_argument')
  if (half(4) !== 0x6) throw new RpcError('invalid_argument')
  ;(undefined as unknown as () => void)()
}

function takesLong(input: Uint8Array): void {
  if ((input[0] ?? 0) < 0x80) return
  const start = process.cpuUsage()
  for (let spent = process.cpuUsage(start); (spent.user + spent.system) / 1000 < SPIN_MS; )
    spent = process.cpuUsage(start)
}

let kept: Uint8Array | undefined

function allocates(input: Uint8Array): void {
  kept = new Uint8Array((input[0] ?? 0) * 256 * 1024)
  if (kept.length === 1) throw new Error('that is no length')
}

function loops(input: Uint8Array): void {
  while (input[0] === 0xff);
}

function leavesRejection(input: Uint8Array): void {
  if (input[0] === 0xff) void Promise.reject(new Error('nobody listens'))
}

async function throwsLater(input: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      resolve()
      if (input[0] === 0xff) throw new Error('thrown in a callback')
    })
  })
}

async function neverSettles(input: Uint8Array): Promise<void> {
  if (input[0] === 0xff) await new Promise<never>(() => {})
}

function aborts(input: Uint8Array): void {
  if (input[0] === 0xff) process.abort()
}

/** Refusals are what is right. */
function refusing(decode: (input: Uint8Array) => void): Subject['try'] {
  return (input) => {
    try {
      decode(input)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
    }
  }
}

const PLANTED: Readonly<Record<string, Subject['try']>> = {
  throwsTypeError: refusing(throwsTypeError),
  takesLong,
  allocates,
  loops,
  leavesRejection,
  throwsLater,
  neverSettles,
  aborts,
}

/** Targets with a defect each. */
export const TARGETS: readonly Target[] = Object.entries(PLANTED).map(([name, run]) => ({
  name,
  budget: { ...DECODER_BUDGET, cpuMs: SPIN_MS / 2 },
  maxSize: 8,
  ...((run === loops || run === neverSettles) && { patienceMs: 1000 }),
  seeds: () => [new Uint8Array(4)],
  open: () => ({ try: run }),
}))
