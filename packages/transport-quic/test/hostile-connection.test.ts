import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context, Handlers } from '@qrpc/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { END, head, message, request } from '../../wire/test/support/wire-bytes.ts'
import { FRAME, frameOf, PacketForge } from './forged-packets.ts'
import type { RawClient } from './raw-client.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const MIB = 1024 * 1024
const RESOURCE_EXHAUSTED = 8
const CANCELLED = 1

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'qrpc-'))
})

afterAll(() => rmSync(directory, { recursive: true }))

/** Memory of buffers and objects that are in use. */
function memory(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Another call on the connection of one that went wrong. */
async function expectWorking(client: RawClient): Promise<void> {
  const call = client.open().write(request('echo/echo', 'still here'), END).end()
  await call.answered
  expect([call.messages, call.ends]).toEqual([['still here'], ['end']])
}

let forged = 0

/** An attacker that no longer sends packets of quiche's own, but such as are made by hand. */
async function forger(site: Awaited<ReturnType<typeof underAttack>>) {
  const keyLogFile = join(directory, `keys-${forged++}`)
  const client = await site.attacker({ keyLogFile })
  // What is acknowledged now needs no packets later that would come before the forged ones.
  await client.open().write(request('echo/echo', 1), END).end().closed
  client.mute = true
  const forge = new PacketForge(keyLogFile, client.quiche.destinationId())
  return {
    client,
    send: (...frames: Uint8Array[]) => client.send(forge.packet(...frames)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

describe('frames of QUIC that a client may not send end its connection alone, with a transport error', () => {
  const reason = Buffer.from('because')
  const cases: [what: string, bytes: Buffer, code: number][] = [
    ['a stream beyond maxConcurrentStreams', frameOf(FRAME.stream, 4 * 5000, 1, Buffer.from('a')), 4],
    ['a reset of a stream beyond maxConcurrentStreams', frameOf(FRAME.resetStream, 4 * 5000, 1, 0), 4],
    ['a unidirectional stream', frameOf(FRAME.stream, 2, 1, Buffer.from('a')), 4],
    ['data on a stream that the server would open', frameOf(FRAME.stream, 1, 1, Buffer.from('a')), 5],
    ['data behind the window', frameOf(FRAME.stream | 4, 8, 2n ** 40n, 1, Buffer.from('a')), 3],
    ['a reset behind the window', frameOf(FRAME.resetStream, 8, 1, 2n ** 40n), 3],
    ['a frame that there is not', frameOf(Buffer.from([0x3f, 0, 0])), 7],
    ['a frame that is cut short', frameOf(FRAME.stream, 8, 100, Buffer.from('a')), 10],
    ['DATAGRAM', frameOf(FRAME.datagram, 5, Buffer.from('hello')), 10],
    ['an end of the handshake', frameOf(FRAME.handshakeDone), 10],
    ['an id that was never given retired', frameOf(FRAME.retireConnectionId, 77), 10],
    ['a limit of streams beyond 2^60', frameOf(FRAME.maxStreamsBidi, 2n ** 61n), 7],
    ['a close with a reason that is none', frameOf(0x1c, 0, 0, 1000, reason), 10],
  ]

  test.each(cases)('%s', async (_, bytes, code) => {
    await using site = await underAttack()
    await using raw = await forger(site)
    raw.send(bytes)
    expect(await raw.client.closed).toBe(`transport error ${code}`)
    await site.othersGoOn()
    expect(site.errors).toEqual([])
  })
})

describe('floods', () => {
  test('a client waits where maxConcurrentStreams are open; those that never end hold their own places only', async () => {
    await using site = await underAttack({ maxConcurrentStreams: 20 })
    await using client = await site.attacker()
    // Those that are for a lane, and for what gets lost, included.
    const calls = Array.from({ length: 36 }, () => client.open().write(request('echo/talk', undefined), message('hi')))
    await Promise.all(calls.map((call) => call.next()))
    expect(client.quiche.peerStreamsLeftBidi()).toBe(0)
    for (const call of calls) {
      call.write(message('still here'))
      expect(await call.next()).toBe('still here')
    }
  })

  test('a client that resets more than maxResets streams is cut off, and its handlers are aborted', async () => {
    const reasons: unknown[] = []
    const changed: Partial<Handlers<typeof Echo>> = {
      talk: async function* (_: void, _updates: AsyncIterable<unknown>, { signal }: Context) {
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        yield 'started'
        await aborted
        reasons.push(signal.reason)
      },
    }
    await using site = await underAttack({ maxResets: 20 }, changed)
    await using client = await site.attacker()
    for (let n = 0; n < 20; n++) {
      const call = client.open().write(request('echo/talk', undefined))
      await call.next()
      call.abort(CANCELLED)
    }
    await expectWorking(client)
    client.open().write(request('echo/wait', undefined)).abort(CANCELLED)
    expect(await client.closed).toBe(`application error ${RESOURCE_EXHAUSTED}`)
    await site.othersGoOn()
    expect(reasons).toHaveLength(20)
    expect(site.listener.counters.limits.maxResets).toBe(1)
  })

  test.each(['reset', 'stop', 'both'] as const)(
    'rapid reset, by %s: opened and abandoned in one packet (CVE-2023-44487, CVE-2025-8671)',
    async (which) => {
      let handlers = 0
      const changed: Partial<Handlers<typeof Echo>> = {
        talk: (_, updates) => {
          handlers++
          return updates
        },
      }
      await using site = await underAttack({ maxResets: 20 }, changed)
      await using client = await site.attacker()
      let why: string | undefined
      void client.closed.then((reason) => {
        why = reason
      })
      // No more than its credit, which comes back as the server is done with streams.
      while (why === undefined) {
        for (let n = client.quiche.peerStreamsLeftBidi(); n > 0; n--) {
          client.open().write(request('echo/talk', undefined), message(n), END).end().abort(CANCELLED, which)
        }
        await site.othersGoOn()
      }
      expect(why).toBe(`application error ${RESOURCE_EXHAUSTED}`)
      expect(handlers).toBeLessThanOrEqual(1000)
    },
  )

  const many = (count: number, bytes: () => Buffer): Buffer[] => Array.from({ length: count }, bytes)
  test.each([
    ['PING', () => many(200, () => frameOf(FRAME.ping))],
    ['PATH_CHALLENGE', () => many(100, () => frameOf(FRAME.pathChallenge, randomBytes(8)))],
    ['MAX_DATA', () => many(100, () => frameOf(FRAME.maxData, 2n ** 40n))],
    ['NEW_TOKEN', () => [frameOf(FRAME.newToken, 1000, Buffer.alloc(1000))]],
    [
      'NEW_CONNECTION_ID, each of which retires the one before,',
      (n: number) => [
        frameOf(FRAME.newConnectionId, n + 2, n + 2, Buffer.from([20]), randomBytes(20), randomBytes(16)),
      ],
    ],
  ])('%s without end, by a client that acknowledges nothing: memory is bounded, others go on', async (_, frames) => {
    await using site = await underAttack()
    await using raw = await forger(site)
    const before = process.memoryUsage().rss
    for (let n = 0; n < 2500; n++) {
      raw.send(...frames(n))
      if (n % 50 === 0) await site.othersGoOn()
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(40 * MIB)
    expect(site.errors).toEqual([])
  })

  test('a stream in pieces with gaps ends its connection before they fill the memory', async () => {
    await using site = await underAttack({ streamWindow: 64 * 1024 })
    await using raw = await forger(site)
    let why: string | undefined
    void raw.client.closed.then((reason) => {
      why = reason
    })
    const piece = (at: number): Buffer => frameOf(FRAME.stream | 4, 8, at, 1, Buffer.from('a'))
    let at = 5
    for (; why === undefined; at += 200) {
      raw.send(...Array.from({ length: 100 }, (_, n) => piece(at + 2 * n)))
      await site.othersGoOn()
    }
    expect(why).toBe('transport error 3')
    expect(at).toBeLessThan(1024 * 1024)
  })
})

describe('those that never come to the point', () => {
  test('a stream whose first frame does not come is told so after firstFrameTimeoutMs, and then stopped', async () => {
    await using site = await underAttack({ firstFrameTimeoutMs: 30, closeTimeoutMs: 30 })
    await using client = await site.attacker()
    const first = request('echo/echo', 'a text')
    const halfway = client.open().write(first.subarray(0, 10))
    const trickling = client.open().write(first.subarray(0, 1))
    let sent = 1
    const trickle = setInterval(() => trickling.write(first.subarray(sent % 10, (sent++ % 10) + 1)), 5)
    for (const call of [halfway, trickling]) {
      await call.answered
      expect(call.ends).toEqual(['deadline_exceeded'])
    }
    clearInterval(trickle)
    expect(await halfway.closed).toBe(CANCELLED)
    await expectWorking(client)
    expect(site.errors).toEqual([])
    expect(site.listener.counters.limits.firstFrameTimeoutMs).toBe(2)
  })

  test('a client that goes away without a word is forgotten after idleTimeoutMs, with its handlers; one that is idle stays', async () => {
    let onGone!: (reason: unknown) => void
    const gone = new Promise<unknown>((resolve) => {
      onGone = resolve
    })
    const changed: Partial<Handlers<typeof Echo>> = {
      talk: (_, updates, { signal }) => {
        signal.addEventListener('abort', () => onGone(signal.reason))
        return updates
      },
    }
    await using site = await underAttack({ idleTimeoutMs: 200 }, changed)
    await using client = await site.attacker()
    const call = client.open().write(request('echo/talk', undefined), message('hi'))
    await call.next()
    client.mute = true
    expect(await gone).toMatchObject({ code: 'unavailable' })
    expect(site.listener.counters.limits.idleTimeoutMs).toBe(1)
  })
})

describe('those that do not read', () => {
  test('endless responses wait for their reader: memory is bounded, other streams and connections go on', async () => {
    const state = { sent: 0, stopped: 0 }
    const changed: Partial<Handlers<typeof Echo>> = {
      async *talk(_: void, _updates: AsyncIterable<unknown>, { signal }: Context) {
        signal.addEventListener('abort', () => state.stopped++)
        for (;;) {
          state.sent++
          yield new Uint8Array(16 * 1024)
        }
      },
    }
    await using site = await underAttack({}, changed)
    const before = memory()
    {
      // Their windows are small, so that the connection has room for one that reads.
      await using client = await site.attacker({ streamWindow: 64 * 1024 })
      const deaf = Array.from({ length: 100 }, () => {
        const call = client.open().write(request('echo/talk', undefined))
        call.reading = false
        return call
      })
      let sent = -1
      while (sent !== state.sent) {
        sent = state.sent
        for (let n = 0; n < 20; n++) await site.othersGoOn()
      }
      expect(deaf).toHaveLength(100)
      expect(state.sent * 16 * 1024).toBeLessThan(100 * MIB)
      expect(memory() - before).toBeLessThan(100 * MIB)
      await expectWorking(client)
    }
    while (state.stopped < 100) await site.othersGoOn()
  })

  test('a response that is larger than all windows waits in one piece, and its stream alone', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const call = client.open()
    call.reading = false
    call.write(request('echo/echo', new Uint8Array(4 * MIB)), END).end()
    for (let n = 0; n < 20; n++) await site.othersGoOn()
    await expectWorking(client)
    expect(call.messages).toEqual([])
    call.resume()
    await call.answered
    expect(call.messages).toHaveLength(1)
    // Perhaps with a stop behind it: the answer may have been there before the end of the request.
    expect(call.ends[0]).toBe('end')
  })

  test.each([
    ['messages that no handler reads', Array.from({ length: 128 }, () => message(new Uint8Array(16_300)))],
    ['a message that is never complete', [head(3n * BigInt(MIB)), new Uint8Array(2 * MIB)]],
  ])('%s stop their sender at the window, and other streams go on', async (_, parts) => {
    const changed: Partial<Handlers<typeof Echo>> = {
      async *talk(_: void, _updates: AsyncIterable<unknown>, { signal }: Context) {
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        yield 'open'
        await aborted
      },
    }
    await using site = await underAttack({ streamWindow: 64 * 1024 }, changed)
    const before = memory()
    await using client = await site.attacker()
    const calls = Array.from({ length: 10 }, () => client.open().write(request('echo/talk', undefined)))
    await Promise.all(calls.map((call) => call.next()))
    for (const call of calls) call.write(...parts)
    for (let n = 0; n < 20; n++) await site.othersGoOn()
    await expectWorking(client)
    expect(memory() - before).toBeLessThan(120 * MIB)
  })
})
