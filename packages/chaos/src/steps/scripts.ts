import type { Client, RpcError } from '@qrpc/core'
import { type Asked, bytesOf, type Chaos, flawIn, type Item } from '../contract.ts'
import type { Ledger } from '../ledger.ts'
import type { PatientClock } from '../patient-clock.ts'

/** What a script calls with. */
interface ScriptTools {
  readonly client: Client<typeof Chaos>
  readonly ledger: Ledger
  readonly clock: PatientClock
}

/** A call that yields the name of each step of the protocol once it is done, on both sides. */
export interface Script {
  readonly name: string
  /** Whether it needs no connection to begin with. */
  readonly cold?: boolean
  /** What it may fail with besides `unavailable`. */
  readonly code?: RpcError['code']
  readonly run: (tools: ScriptTools) => AsyncGenerator<string, void>
}

const SIZE = 20_000
/** How long a call may take, in ms: longer than it takes to find that the other side is gone. */
export const SETTLED_MS = 6000

// So long that it is not what ends a call, or the handler of one that was cut off.
const OPTIONS = { timeout: 60_000, metadata: { filler: 'm'.repeat(4000) } }

export const SCRIPTS: readonly Script[] = [
  {
    name: 'connecting',
    cold: true,
    async *run({ client, ledger }) {
      await echo(client, ask(ledger, {}))
      yield 'first call'
    },
  },
  {
    name: 'unary',
    async *run({ client, ledger }) {
      await echo(client, ask(ledger, {}))
      yield 'request and response'
    },
  },
  {
    name: 'unary, cancelled',
    code: 'cancelled',
    async *run({ client, ledger, clock }) {
      const asked = ask(ledger, { hang: true })
      const abort = new AbortController()
      const answer = client.echo(asked, { ...OPTIONS, signal: abort.signal })
      await handled(asked, answer, ledger, clock)
      yield 'request'
      abort.abort()
      await Promise.allSettled([answer])
      await clock.within(SETTLED_MS, () => !ledger.isRunning(asked.id))
      yield 'cancel'
      await answer
    },
  },
  {
    name: 'unary, refused',
    code: 'aborted',
    async *run({ client, ledger }) {
      const answer = client.echo(ask(ledger, { failBefore: 0 }), OPTIONS)
      await Promise.allSettled([answer])
      yield 'request and status'
      await answer
    },
  },
  {
    name: 'notify',
    async *run({ client, ledger, clock }) {
      const asked = ask(ledger, {})
      const told = client.tell(asked, OPTIONS)
      // What is lost after it was handed over nobody hears of.
      await clock.within(NOTICE_MS, () => ledger.wasHandled(asked.id))
      yield 'request'
      await told
    },
  },
  {
    name: 'bidi',
    async *run(tools) {
      const { call, asked, opened } = talk(tools, {})
      await opened
      yield 'header'
      await exchange(call, asked)
      yield 'message'
      call.end()
      expectEnd(await call.receive())
      yield 'end'
    },
  },
  {
    name: 'bidi, cancelled',
    code: 'cancelled',
    async *run(tools) {
      const { call, asked, opened } = talk(tools, {})
      await opened
      await exchange(call, asked)
      yield 'header and message'
      call.cancel()
      await tools.clock.within(SETTLED_MS, () => !tools.ledger.isRunning(asked.id))
      yield 'cancel'
      await call.receive()
    },
  },
  {
    name: 'bidi, refused',
    code: 'aborted',
    async *run(tools) {
      const { call, asked, opened } = talk(tools, { failBefore: 1 })
      await opened
      await exchange(call, asked)
      yield 'header and message'
      call.end()
      const outcome = (async () => call.receive())()
      await Promise.allSettled([outcome])
      yield 'status'
      await outcome
    },
  },
]

/** How long a message may take that nobody answers, in ms. */
const NOTICE_MS = 100

function ask(ledger: Ledger, more: Partial<Asked>): Asked {
  const id = ledger.nextId()
  return { id, updates: 1, responses: 0, bytes: bytesOf(id, 0, SIZE), ...more }
}

async function echo(client: Client<typeof Chaos>, asked: Asked): Promise<void> {
  check(asked, await client.echo(asked, OPTIONS))
}

function talk({ client, ledger, clock }: ScriptTools, more: Partial<Asked>) {
  const asked = ask(ledger, more)
  const call = client.talk(asked, OPTIONS)
  return { asked, call, opened: handled(asked, call.started, ledger, clock) }
}

/** Resolves once the call has a handler, or has failed. */
async function handled(asked: Asked, outcome: Promise<unknown>, ledger: Ledger, clock: PatientClock): Promise<void> {
  let over = false
  const onOver = (): void => {
    over = true
  }
  outcome.then(onOver, onOver)
  await clock.within(SETTLED_MS, () => over || ledger.wasHandled(asked.id))
}

type Talk = ReturnType<Client<typeof Chaos>['talk']> & { send(item: Item): Promise<void> | undefined }

async function exchange(call: Talk, asked: Asked): Promise<void> {
  await call.send({ n: 0, bytes: bytesOf(asked.id, 0, SIZE) })
  check(asked, await call.receive())
}

function check({ id }: Asked, item: Item | undefined): void {
  const flaw = item === undefined ? 'is missing' : flawIn(item.bytes, id, 0, SIZE)
  if (flaw !== undefined) throw new Error(`the response ${flaw}`)
}

function expectEnd(item: Item | undefined): void {
  if (item !== undefined) throw new Error('there is a response too many')
}
