import type { Code, Context, Handlers } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { expectCheap } from '../../wire/test/support/cheap.ts'
import { END, frame, head, message, request, signal } from '../../wire/test/support/wire-bytes.ts'
import type { RawClient } from './raw-client.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const MIB = 1024 * 1024

/** Another call on the connection of one that went wrong. */
async function expectWorking(client: RawClient): Promise<void> {
  const call = client.open().write(request('echo/echo', 'still here'), END).end()
  await call.answered
  expect([call.messages, call.ends]).toEqual([['still here'], ['end']])
}

describe('a stream of which the first frame breaks the format is refused, and nothing else is harmed', () => {
  const hexText = (text: string): string => Buffer.from(text).toString('hex')
  const cases: [what: string, bytes: Uint8Array, code: Code][] = [
    ['an empty message', frame(''), 'invalid_argument'],
    ['garbage', frame('c3a4f6fc00de'), 'invalid_argument'],
    ['a declared length of 2^61 - 1', head(2n ** 61n - 1n), 'resource_exhausted'],
    ['garbage that is a length by chance', Buffer.alloc(100, 0xff), 'resource_exhausted'],
    ['a frame over maxMessageSize, of which only the head comes', head(1025n), 'resource_exhausted'],
    ['a control frame over maxMessageSize', head(1025n, true), 'resource_exhausted'],
    ['a header over maxHeaderSize', frame(`81794e20${hexText('a'.repeat(20_000))}01`), 'resource_exhausted'],
    ['a header that ends within its method', frame(`8169${hexText('echo/e')}`), 'invalid_argument'],
    ['a header without a message', frame(`8169${hexText('echo/echo')}`), 'invalid_argument'],
    ['bytes behind the message', frame(`8169${hexText('echo/echo')}0101`), 'invalid_argument'],
    ['a method that is a number', frame('810101'), 'invalid_argument'],
    ['a timeout below 0', frame('8261612001'), 'invalid_argument'],
    ['metadata that is no list', frame('836161f6a001'), 'invalid_argument'],
    ['an end before the request', END, 'invalid_argument'],
    ['an error before the request', signal('status', 'not_found'), 'not_found'],
    ['a control item of a kind that there is not', frame('8304616160', true), 'invalid_argument'],
    ['a control item that is no CBOR', frame('ff', true), 'invalid_argument'],
  ]

  test.each(cases)('%s', async (_, bytes, code) => {
    const limits = code === 'resource_exhausted' && bytes.length < 1000 ? { maxMessageSize: 1024 } : {}
    await using site = await underAttack(limits)
    await using client = await site.attacker()
    const call = client.open().write(bytes)
    await call.answered
    expect([call.messages, call.ends]).toEqual([[], [code]])
    call.end()
    expect(await call.closed).toBe(0)
    expect(site.errors).toEqual([code])
    await expectWorking(client)
  })

  test('a message before the request', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const call = client.open().write(frame('f605'))
    await call.answered
    // It could have been the first message of a channel that is used by hand: the server of calls ends and stops it.
    expect(call.ends).toEqual(['invalid_argument', 'invalid_argument'])
    expect(site.errors).toEqual(['invalid_argument'])
    await expectWorking(client)
  })

  test('methods that are not served, thousands of them, leave nothing behind', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    for (let n = 0; n < 2500; n += 50) {
      const calls = Array.from({ length: 50 }, (_, i) =>
        client
          .open()
          .write(request(`echo/${n + i}`, 1), END)
          .end(),
      )
      for (const call of calls) {
        expect(await call.closed).toBe(0)
        expect(call.ends).toEqual(['unimplemented'])
      }
    }
    await expectWorking(client)
  })
})

/** Handlers of `talk` that read, and how each of them ended: by its updates, and by its signal. */
function recorder() {
  const ended: { updates: unknown; reason: unknown }[] = []
  let onEnded = (): void => {}
  const changed: Partial<Handlers<typeof Echo>> = {
    async *talk(_: void, updates: AsyncIterable<unknown>, { signal }: Context) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      let outcome: unknown = 'ended'
      yield 'started'
      try {
        for await (const _ of updates);
      } catch (error) {
        outcome = (error as { code: Code }).code
        await aborted
      } finally {
        ended.push({ updates: outcome, reason: (signal.reason as { code: Code } | undefined)?.code })
        onEnded()
      }
    },
  }
  const settled = async (count: number): Promise<void> => {
    while (ended.length < count) {
      await new Promise<void>((resolve) => {
        onEnded = resolve
      })
    }
  }
  return { ended, settled, changed }
}

describe('a call that goes wrong after its request', () => {
  const cases: [what: string, bytes: Uint8Array, code: Code][] = [
    ['garbage', frame('c3a4f6fc00de'), 'invalid_argument'],
    ['an empty message', frame(''), 'invalid_argument'],
    ['a declared length of 2^61 - 1', head(2n ** 61n - 1n), 'resource_exhausted'],
    ['a control item that is none', frame('8304616160', true), 'invalid_argument'],
    ['a message over maxMessageSize', head(17n * BigInt(MIB)), 'resource_exhausted'],
  ]

  test.each(cases)('%s ends it with an error on both sides', async (_, bytes, code) => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    await using client = await site.attacker()
    const call = client.open().write(request('echo/talk', undefined))
    expect(await call.next()).toBe('started')
    call.write(bytes)
    await call.answered
    expect(call.ends).toEqual([code])
    await settled(1)
    expect(ended).toEqual([{ updates: code, reason: code }])
    expect(await call.end().closed).toBe(0)
    await expectWorking(client)
  })

  test.each([
    ['a message after the end', Buffer.concat([END, message(1)])],
    ['two ends', Buffer.concat([END, END])],
  ])('%s ends it with an error', async (_, bytes) => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const call = client.open().write(request('echo/talk', undefined), message('first'))
    expect(await call.next()).toBe('first')
    call.write(bytes)
    await call.answered
    expect(call.ends).toEqual(['invalid_argument'])
    await expectWorking(client)
  })

  test('a message that comes when both halves have ended harms nobody', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const call = client.open().write(request('echo/talk', undefined), END)
    await call.answered
    expect(call.ends).toEqual(['end'])
    call.write(message(1)).end()
    await call.closed
    await expectWorking(client)
    expect(site.errors).toEqual([])
  })

  test('a second request of a unary call is refused', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const call = client.open().write(request('echo/wait', undefined), request('echo/wait', undefined))
    await call.answered
    expect([call.messages, call.ends]).toEqual([[], ['invalid_argument']])
    await expectWorking(client)
  })

  test('stop, a thousand times, before the request and after it, is no more than a stop', async () => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const stops = Array.from({ length: 1000 }, () => signal('stop', 'cancelled'))
    const call = client
      .open()
      .write(...stops, request('echo/talk', undefined), ...stops, END)
      .end()
    await call.answered
    expect([call.messages, call.ends]).toEqual([[], ['end']])
    await expectWorking(client)
  })

  const whole = Buffer.concat([request('echo/talk', undefined), message({ a: 1 }), END])
  const requestSize = request('echo/talk', undefined).length

  test('cut off at any byte by FIN: unavailable on both sides', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    await using client = await site.attacker()
    for (let size = 0; size < whole.length; size++) {
      const call = client.open().write(whole.subarray(0, size))
      if (size >= requestSize) await call.next()
      await call.end().answered
      expect([size, call.ends]).toEqual([size, ['unavailable']])
      if (size < requestSize) continue
      await settled(1)
      expect(ended).toEqual([{ updates: 'unavailable', reason: 'unavailable' }])
      ended.length = 0
    }
    expect(site.errors).toEqual([])
    await expectWorking(client)
  })

  test('cut off at any byte by RESET_STREAM and STOP_SENDING: their code at the handler', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    await using client = await site.attacker()
    for (let size = 1; size < whole.length; size++) {
      const call = client.open().write(whole.subarray(0, size))
      if (size >= requestSize) await call.next()
      // 10: `aborted`.
      call.abort(10)
      if (size < requestSize) continue
      await settled(1)
      expect(ended).toEqual([{ updates: 'aborted', reason: 'aborted' }])
      ended.length = 0
    }
    expect(site.errors).toEqual([])
    await expectWorking(client)
  })

  test('cut off by the loss of the connection: unavailable at the handlers of it alone', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    {
      await using client = await site.attacker()
      const calls = Array.from({ length: 10 }, () => client.open().write(request('echo/talk', undefined)))
      await Promise.all(calls.map((call) => call.next()))
    }
    await settled(10)
    expect(ended).toEqual(Array.from({ length: 10 }, () => ({ updates: 'unavailable', reason: 'unavailable' })))
    await site.othersGoOn()
  })
})

describe('CBOR bombs are refused with less than 50 ms of CPU each', () => {
  const u32 = (size: number): string => size.toString(16).padStart(8, '0')
  const bombs: [what: string, hex: string][] = [
    ['a bignum of 200 kB', `c25a${u32(200_000)}${'ff'.repeat(200_000)}`],
    ['arrays 100,000 deep', `${'81'.repeat(100_000)}80`],
    ['a MiB of empty maps', `9a${u32(MIB)}${'a0'.repeat(MIB)}`],
    ['a declared array of 2^32 - 1', '9affffffff'],
    ['a declared map of 2^64 - 1', 'bbffffffffffffffff'],
    ['a declared text of 2^32 - 1', '7affffffff61'],
    ['a cycle (tags 28, 29)', 'd81c81d81d00'],
    ['a key __proto__', 'a1695f5f70726f746f5f5fa1616101'],
  ]

  test.each(bombs)('%s, as a request, an update, a header or an error', async (_, hex) => {
    await using site = await underAttack()
    await using client = await site.attacker()
    const method = `69${Buffer.from('echo/talk').toString('hex')}`
    const start = request('echo/talk', undefined)
    const attempts = [
      [frame(`81${method}${hex}`)],
      [start, frame(hex)],
      [frame(`83${method}f6${hex}01`)],
      [start, frame(`850067${Buffer.from('aborted').toString('hex')}6060${hex}`, true)],
    ]
    for (const bytes of attempts) {
      // Both ends of a megabyte are in this process: what the bytes cost on their way is not the server's to save.
      const carry = bytes.reduce((sum, { length }) => sum + length, 0) > 100_000
      const run = async (): Promise<void> => {
        const call = client.open().write(...bytes)
        await call.answered
        expect(call.ends).toEqual(['invalid_argument'])
        call.end()
      }
      await (carry ? run() : expectCheap(run))
    }
    await expectWorking(client)
  })
})
