import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { balance, type CombinedConnector, combineConnectors, failover, type Policy, race } from '@qrpc/combined'
import { type CallOptions, type Client, createClient, type Peer, RpcError } from '@qrpc/core'
import { afterAll, describe, expect, test } from 'vitest'
import { makeCertificate } from './certificate.ts'
import { Counter } from './counter.ts'
import { type FaultyNode, type StartNode, startHere, startProcess } from './faulty-node.ts'

const CALLS = 1000
// Calls by the hundred that go on while a server is away.
const FEW = 100
const BACKOFF = { initialBackoffMs: 1, maxBackoffMs: 20 }

const POLICIES: Readonly<Record<string, () => Policy>> = {
  failover,
  race: () => race({ delayMs: 20 }),
  'balance by round_robin': () => balance('round_robin'),
  'balance by least_in_flight': () => balance('least_in_flight'),
  'balance by power_of_two_choices': () => balance(),
}

const certificate = await makeCertificate()
const directory = mkdtempSync(join(tmpdir(), 'qrpc-faults-'))
afterAll(() => rmSync(directory, { recursive: true }))
let beds = 0

/** One call, and what became of it. */
class Call {
  readonly n: number
  /** Which server got it, if any. */
  address: string | undefined = undefined
  /** The answer, or why there is none. */
  outcome: unknown = undefined
  readonly over: Promise<void>

  constructor(n: number, make: (n: number, options: CallOptions) => Promise<number>) {
    this.n = n
    const onPeer = ({ address }: Peer): void => {
      // A second time would be a call that was moved.
      this.address = this.address === undefined ? address : 'two servers'
    }
    this.over = this.#record(make(n, { onPeer }))
  }

  /** Whether it was cut off, in the way that it should be. */
  get cutOff(): boolean {
    return this.outcome instanceof RpcError && this.outcome.code === 'unavailable'
  }

  async #record(answer: Promise<number>): Promise<void> {
    this.outcome = await answer.catch((error: unknown) => error)
  }
}

/** Servers, and a client that reaches them all through one connector. */
class Bed implements AsyncDisposable {
  readonly nodes: readonly FaultyNode[]
  readonly combined: CombinedConnector
  readonly client: Client<typeof Counter>
  readonly calls: Call[] = []

  private constructor(nodes: readonly FaultyNode[], policy: Policy) {
    this.nodes = nodes
    this.combined = combineConnectors(
      nodes.map(({ connector }) => connector),
      policy,
      BACKOFF,
    )
    this.client = createClient(Counter, this.combined)
  }

  static async start(transports: readonly string[], policy: Policy, startNode: StartNode): Promise<Bed> {
    const bed = ++beds
    const starting = transports.map((transport, i) => {
      const runs = join(directory, `${bed}-${i}`)
      writeFileSync(runs, '')
      return startNode(transport, `node ${i}`, certificate, runs)
    })
    return new Bed(await Promise.all(starting), policy)
  }

  call(method: 'count' | 'hold'): Call {
    const call = new Call(this.calls.length, this.client[method])
    this.calls.push(call)
    return call
  }

  callMany(method: 'count' | 'hold', count: number): Call[] {
    return Array.from({ length: count }, () => this.call(method))
  }

  /** How many calls the servers run or have run since they were last started. */
  get running(): number {
    return this.nodes.reduce((sum, { running }) => sum + running, 0)
  }

  release(): void {
    for (const node of this.nodes) node.release()
  }

  /** How often each call was run. */
  runs(): Map<number, number> {
    const counts = new Map<number, number>()
    for (const n of this.nodes.flatMap((node) => node.runs())) counts.set(n, (counts.get(n) ?? 0) + 1)
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.combined.close()
    await Promise.all(this.nodes.map((node) => node.kill()))
  }
}

/** Lets events happen until it is so. */
async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise(setImmediate)
}

/** Resolves once the client knows that a server is gone. Over mem it knows at once. */
async function known({ connector }: FaultyNode): Promise<void> {
  if ('state' in connector) await until(() => connector.state !== 'ready')
}

/** All went well. */
async function expectAnswers(calls: readonly Call[]): Promise<void> {
  await Promise.all(calls.map(({ over }) => over))
  expect(calls.filter(({ n, outcome }) => outcome !== n)).toEqual([])
}

async function killAmongHeldCalls(bed: Bed, victim: FaultyNode): Promise<void> {
  const before = bed.running
  const held = bed.callMany('hold', CALLS)
  await until(() => bed.running - before === CALLS)
  const mortal = held.filter(({ address }) => address === victim.address)
  const others = held.filter(({ address }) => address !== victim.address)
  const killing = victim.kill()
  const meanwhile = bed.callMany('count', FEW)
  await Promise.all([killing, ...mortal.map(({ over }) => over), ...meanwhile.map(({ over }) => over)])
  expect(mortal.filter(({ cutOff }) => !cutOff)).toEqual([])
  // Nobody can know at once that a server is gone: what was sent to it by then is lost, and nothing else.
  const lost = meanwhile.filter(({ n, outcome }) => outcome !== n)
  expect(lost.filter((call) => !call.cutOff || call.address !== victim.address)).toEqual([])
  await known(victim)
  await expectAnswers(bed.callMany('count', FEW))
  expect(others.filter(({ outcome }) => outcome !== undefined)).toEqual([])
  bed.release()
  await expectAnswers(others)
  await victim.start()
  await expectAnswers(bed.callMany('count', FEW))
}

/** No call was run twice, and none that was answered was not run. */
function expectOneRunEach(bed: Bed): void {
  const runs = bed.runs()
  expect([...runs.values()].filter((count) => count !== 1)).toEqual([])
  expect(bed.calls.filter(({ n, outcome }) => outcome === n && !runs.has(n))).toEqual([])
}

/** Which servers were away when. */
class Away {
  // Odd while it is away.
  readonly #turns = new Map<string, number>()

  now(): ReadonlyMap<string, number> {
    return new Map(this.#turns)
  }

  /** The server goes, or is back. */
  turn({ address }: FaultyNode): void {
    this.#turns.set(address, (this.#turns.get(address) ?? 0) + 1)
  }

  /** Whether the call failed for a server that was away in its time, and not otherwise than it should. */
  explains(call: Call, since: ReadonlyMap<string, number>): boolean {
    const { address = '' } = call
    const before = since.get(address) ?? 0
    return call.cutOff && (before % 2 === 1 || (this.#turns.get(address) ?? 0) > before)
  }
}

const SITES: readonly { where: string; startNode: StartNode; mixtures: readonly (readonly string[])[] }[] = [
  {
    where: 'closed without grace',
    startNode: startHere,
    mixtures: [
      ['http2', 'http2'],
      ['quic', 'quic'],
      ['quic', 'http2'],
      ['mem', 'http2', 'quic'],
    ],
  },
  {
    where: 'killed with its process',
    startNode: startProcess,
    mixtures: [
      ['http2', 'http2'],
      ['quic', 'quic'],
      ['quic', 'http2'],
    ],
  },
]

describe.each(SITES)('each member $where and brought back', ({ startNode, mixtures }) => {
  describe.each(mixtures)('%s %s %s', (...transports) => {
    const names = transports.filter((name) => typeof name === 'string')

    test.each(Object.entries(POLICIES))('among 1,000 calls that run: %s', async (_, policy) => {
      await using bed = await Bed.start(names, policy(), startNode)
      await expectAnswers(bed.callMany('count', FEW))
      for (const victim of bed.nodes) await killAmongHeldCalls(bed, victim)
      expectOneRunEach(bed)
    })

    test.each(Object.entries(POLICIES))('among 1,000 calls that come and go: %s', async (_, policy) => {
      await using bed = await Bed.start(names, policy(), startNode)
      const away = new Away()
      let done = 0
      let allBack = false
      const caller = async (): Promise<void> => {
        while (bed.calls.length < CALLS || !allBack) {
          const since = away.now()
          const call = bed.call('count')
          await call.over
          done++
          if (call.outcome !== call.n) unexplained.push(...(away.explains(call, since) ? [] : [call]))
        }
      }
      const unexplained: Call[] = []
      const calling = Promise.all(Array.from({ length: 20 }, caller))
      for (const victim of bed.nodes) {
        const before = done
        await until(() => done >= before + 150)
        away.turn(victim)
        await victim.kill()
        await known(victim)
        await victim.start()
        away.turn(victim)
      }
      allBack = true
      await calling
      expect(unexplained).toEqual([])
      expectOneRunEach(bed)
    })
  })
})
