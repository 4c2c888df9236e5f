import { type Channel, RpcError } from '@qrpc/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Caller } from '../src/calls/caller.ts'
import { planCalmCall } from '../src/calls/plan.ts'
import { type Certificate, makeCertificate } from '../src/certificate.ts'
import { Ledger } from '../src/ledger.ts'
import { leftBehind } from '../src/left-behind.ts'
import type { OnChannel } from '../src/open-channels.ts'
import { PatientClock } from '../src/patient-clock.ts'
import { Random } from '../src/random.ts'
import { recover } from '../src/recover.ts'
import { runRound } from '../src/round.ts'
import { Site, type SiteKind } from '../src/site.ts'
import { TemporaryFolder } from '../src/temporary-folder.ts'

const KIND: SiteKind = { name: 'mem', transports: ['mem'] }
const TIMES = { leastBetweenMs: 0, betweenMs: 100, blackholeMs: 100, awayMs: 20, graceMs: 50 }

let certificate: Certificate
let folder: TemporaryFolder

beforeAll(async () => {
  certificate = await makeCertificate()
  folder = new TemporaryFolder()
})
afterAll(() => folder[Symbol.dispose]())

/** What a round says of a transport that was tampered with. */
async function wrongsWith(onChannel: OnChannel | undefined): Promise<string> {
  const directory = folder.path
  const options = {
    seed: 1,
    kind: KIND,
    faults: 10,
    callers: 12,
    times: TIMES,
    certificate,
    directory,
    recoveryMs: 200,
    onChannel,
  }
  return (await runRound(options)).wrongs.join('\n')
}

/** Puts something in between a channel and who reads it. */
function tamper(channel: Channel, read: (messages: AsyncIterator<unknown>) => AsyncGenerator<unknown>): void {
  const iterator = channel[Symbol.asyncIterator].bind(channel)
  channel[Symbol.asyncIterator] = () => read(iterator())
}

describe('a round finds', () => {
  test('nothing where nothing is wrong', async () => {
    expect(await wrongsWith(undefined)).toBe('')
  })

  test('updates that arrive twice', async () => {
    const wrongs = await wrongsWith((channel, side) => {
      if (side === 'server') tamper(channel, doubled)
    })
    expect(wrongs).toMatch(/update 0 of call \d+ came instead of 1/)
  })

  test('responses that are lost', async () => {
    const wrongs = await wrongsWith((channel, side) => {
      if (side === 'client') tamper(channel, secondLost)
    })
    expect(wrongs).toMatch(/was answered with 2, which came instead of 1/)
  })

  test('updates that end though they were cut off', async () => {
    const wrongs = await wrongsWith((channel, side) => {
      if (side === 'server') tamper(channel, errorsAsEnds)
    })
    expect(wrongs).toMatch(/the updates of call \d+ ended after \d+ of \d+, without an error/)
  })

  test('responses that end though they were cut off', async () => {
    const wrongs = await wrongsWith((channel, side) => {
      if (side === 'client') tamper(channel, errorsAsEnds)
    })
    expect(wrongs).toMatch(/ended after \d+ of \d+ responses, without an error/)
  })

  test('bytes that were changed', async () => {
    const wrongs = await wrongsWith((channel, side) => {
      if (side === 'server') tamper(channel, flipped)
    })
    expect(wrongs).toMatch(/has other bytes than were sent/)
  })
})

describe('what is left is found:', () => {
  test('a call that does not settle', async () => {
    await using bed = await Bed.start()
    bed.onChannel = (channel, side) => {
      if (side === 'client') channel.receiveOnly = () => new Promise<never>(() => {})
    }
    expect(await bed.caller.call({ ...planCalmCall(bed.ledger.nextId(), 'echo'), timeoutMs: 1 })).toBe('overdue')
    expect(bed.ledger.wrongs.join('\n')).toMatch(/has not settled 1000 ms after its deadline/)
  })

  test('a call that fails with what no fault explains', async () => {
    await using bed = await Bed.start()
    bed.onChannel = (channel, side) => {
      if (side === 'client') channel.receiveOnly = () => Promise.reject(new RpcError('internal'))
    }
    expect(await bed.caller.call(planCalmCall(bed.ledger.nextId(), 'echo'))).toBe('wrong')
    expect(bed.ledger.wrongs.join('\n')).toMatch(/failed with internal/)
  })

  test('a channel that stays open', async () => {
    await using bed = await Bed.start()
    await bed.site.connector.open()
    await bed.recover()
    expect(bed.ledger.wrongs).toEqual(['1 channels are left open at the clients, over mem'])
  })

  test('a handler that runs on', async () => {
    await using bed = await Bed.start()
    const { asked } = planCalmCall(bed.ledger.nextId(), 'echo')
    const abort = new AbortController()
    const answer = bed.caller.client.echo({ ...asked, hang: true }, { signal: abort.signal })
    await bed.recover()
    expect(bed.ledger.wrongs).toContain('1 handlers run on though their calls are over')
    abort.abort()
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' })
  })

  test.each([
    ['a call that is handled twice', 'was handled twice', [0, 0]],
    ['a handler whose finally does not run', 'the finally of the handler of call 0 did not run', [0]],
    ['a call that went well without a handler', 'call 1 went well for its client, and no handler has run', []],
  ])('%s', (_, wrong, started) => {
    const ledger = new Ledger()
    const journal = ledger.journal('a server')
    for (const id of started) journal.started(id)
    ledger.succeeded(1)
    ledger.close()
    expect(ledger.wrongs.join('\n')).toContain(wrong)
  })

  test('what was left open, not listened to or not let go of', async () => {
    // More than those of the test runner that may go meanwhile.
    let timers: NodeJS.Timeout[] = []
    let bytes: Buffer | undefined
    const left = await leftBehind(async () => {
      timers = Array.from({ length: 20 }, () => setInterval(() => {}, 1000))
      bytes = Buffer.alloc(4 * 1024 * 1024)
      void Promise.reject(new Error('nobody listens'))
    })
    for (const timer of timers) clearInterval(timer)
    expect(left).toEqual([
      expect.stringContaining('nobody listens'),
      'a handle was left open: Timeout',
      expect.stringMatching(/bytes of buffers were left/),
    ])
    expect(bytes).toHaveLength(4 * 1024 * 1024)
  })
})

/** A server over mem that nothing happens to. */
class Bed implements AsyncDisposable {
  readonly ledger = new Ledger()
  readonly clock = new PatientClock()
  onChannel: OnChannel = () => {}
  site!: Site
  caller!: Caller

  static async start(): Promise<Bed> {
    const bed = new Bed()
    const onChannel: OnChannel = (channel, side) => bed.onChannel(channel, side)
    const { ledger } = bed
    bed.site = await Site.start(KIND, { ledger, random: new Random(1), certificate, directory: folder.path, onChannel })
    bed.caller = new Caller(bed.site.connector, ledger, bed.clock)
    return bed
  }

  recover(): Promise<void> {
    return recover(this.site, this.caller, this.ledger, this.clock, 200)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
    this.clock[Symbol.dispose]()
  }
}

async function* doubled(messages: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  for await (const message of iterable(messages)) yield* [message, message]
}

async function* secondLost(messages: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  let n = 0
  for await (const message of iterable(messages)) if (n++ !== 1) yield message
}

async function* errorsAsEnds(messages: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  try {
    yield* iterable(messages)
  } catch {}
}

async function* flipped(messages: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  for await (const message of iterable(messages)) {
    const { n, bytes } = message as { n: number; bytes: Uint8Array }
    yield { n, bytes: bytes.map((byte) => byte ^ 1) }
  }
}

function iterable(messages: AsyncIterator<unknown>): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => messages }
}
