import { type ClientHttp2Session, constants } from 'node:http2'
import type { Code, Context, Handlers } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { expectCheap } from '../../wire/test/support/cheap.ts'
import { END, frame, head, message, request, signal } from '../../wire/test/support/wire-bytes.ts'
import { END_HEADERS, FRAME, http2Frame, PREFACE, RawSocket, requestFields, uint32 } from './http2-bytes.ts'
import { RawCall, rawSession } from './raw-call.ts'
import type { Echo } from './service.ts'
import { underAttack } from './under-attack.ts'

const MiB = 1024 * 1024

/** Another call on the session of one that went wrong. */
async function expectWorking(session: ClientHttp2Session): Promise<void> {
  const call = new RawCall(session, '/echo/echo').write(request('echo/echo', 'still here'), END)
  call.stream.end()
  await call.answered
  expect([call.status, call.messages, call.ends]).toEqual([200, ['still here'], ['end']])
}

describe('a stream of which the first frame breaks the format is refused, and nothing else is harmed', () => {
  const long = 'a'.repeat(20_000)
  const hexText = (text: string): string => Buffer.from(text).toString('hex')
  const cases: [what: string, bytes: Uint8Array, code: Code, reported?: false][] = [
    ['an empty message', frame(''), 'invalid_argument'],
    ['garbage', frame('c3a4f6fc00de'), 'invalid_argument'],
    ['a declared length of 2^61 - 1', head(2n ** 61n - 1n), 'resource_exhausted'],
    ['garbage that is a length by chance', Buffer.alloc(100, 0xff), 'resource_exhausted'],
    ['a frame over maxMessageSize, of which only the head comes', head(1025n), 'resource_exhausted'],
    ['a control frame over maxMessageSize', head(1025n, true), 'resource_exhausted'],
    ['a header that ends within its method', frame(`8169${hexText('echo/e')}`), 'invalid_argument'],
    ['a header without a message', frame(`8169${hexText('echo/echo')}`), 'invalid_argument'],
    ['bytes behind the message', frame(`8169${hexText('echo/echo')}0101`), 'invalid_argument'],
    ['a number for a header', frame('0101'), 'invalid_argument'],
    ['an object for a header', frame(`a1666d6574686f6469${hexText('echo/echo')}01`), 'invalid_argument'],
    ['a header of nothing', frame('8001'), 'invalid_argument'],
    ['a method that is a number', frame('810101'), 'invalid_argument'],
    ['a timeout that is a text', frame('826161616101'), 'invalid_argument'],
    ['a timeout below 0', frame('8261612001'), 'invalid_argument'],
    ['a timeout that is NaN', frame('826161f97e0001'), 'invalid_argument'],
    ['a timeout that is infinite', frame('826161f97c0001'), 'invalid_argument'],
    ['metadata that is no list', frame('836161f6a001'), 'invalid_argument'],
    ['metadata with an entry of one', frame('836161f68181616b01'), 'invalid_argument'],
    ['metadata with a value that is a number', frame('836161f68182616b0101'), 'invalid_argument'],
    ['a header of four parts', frame('846161f680f601'), 'invalid_argument'],
    ['a request for another method than the path', request('echo/wait', undefined), 'invalid_argument'],
    ['a request that passes by the header', frame(`f6a1666d6574686f6469${hexText('echo/echo')}`), 'invalid_argument'],
    ['an end', END, 'invalid_argument'],
    ['an end with an error', signal('status', 'not_found'), 'not_found'],
    ['a reset', signal('reset', 'aborted'), 'aborted'],
    ['a control item that is no array', frame('a0', true), 'invalid_argument'],
    ['a control item of nothing', frame('80', true), 'invalid_argument'],
    ['a control item of a kind that there is not', frame('8304616160', true), 'invalid_argument'],
    ['a control item of no number', frame('83fb3ff8000000000000616160', true), 'invalid_argument'],
    ['a control item without a text', frame('82006161', true), 'invalid_argument'],
    ['a control item with too much', frame('86006161606060f6', true), 'invalid_argument'],
    ['a control item that is no CBOR', frame('ff', true), 'invalid_argument'],
    ['a header over maxHeaderSize', frame(`8179${'4e20'}${hexText(long)}01`), 'resource_exhausted'],
  ]

  test.each(cases)('%s', async (_, bytes, code) => {
    const limits = code === 'resource_exhausted' && bytes.length < 1000 ? { maxMessageSize: 1024 } : {}
    await using site = await underAttack(limits)
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/echo').write(bytes)
    await call.answered
    expect([call.status, call.messages, call.ends]).toEqual([200, [], [code]])
    call.stream.end()
    expect(await call.closed).toBe(constants.NGHTTP2_NO_ERROR)
    expect(site.errors).toEqual([code])
    await expectWorking(raw.session)
  })

  test('a message that is no request', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/echo').write(frame('f605'))
    await call.answered
    // It could have been the first message of a channel that is used by hand: the server of calls ends and stops it.
    expect(call.ends).toEqual(['invalid_argument', 'invalid_argument'])
    expect(site.errors).toEqual(['invalid_argument'])
    await expectWorking(raw.session)
  })

  test('metadata over maxHeaderSize', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const metadata = Array.from({ length: 1000 }, (_, i): [string, string] => [`key-${i}`, 'a value of some length'])
    const encoded = request('echo/echo', 1)
    expect(encoded.length).toBeLessThan(100)
    const entries = metadata.map(([key, value]) => {
      const item = [key, value].map(
        (text) => `78${Buffer.from([text.length]).toString('hex')}${Buffer.from(text).toString('hex')}`,
      )
      return `82${item.join('')}`
    })
    const call = new RawCall(raw.session, '/echo/echo')
    call.write(frame(`8369${Buffer.from('echo/echo').toString('hex')}f69903e8${entries.join('')}01`))
    await call.answered
    expect(call.ends).toEqual(['resource_exhausted'])
    await expectWorking(raw.session)
  })

  test('a path that is not what a client writes for the method: a proxy that rules by it would be deceived', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    for (const path of [
      '/echo%2Fecho',
      '/%65cho/echo',
      '/echo/echo?',
      '/echo/echo#a',
      '//echo/echo',
      '/x/../echo/echo',
    ]) {
      const call = new RawCall(raw.session, path).write(request('echo/echo', 1), END)
      await call.answered
      expect([path, call.ends]).toEqual([path, ['invalid_argument']])
    }
    await expectWorking(raw.session)
  })

  test('a method that is not served is unimplemented, and onError hears of it', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    for (const method of ['echo/other', 'constructor', '__proto__', 'echo/echo/', `echo/${'x'.repeat(5000)}`]) {
      const call = new RawCall(raw.session, `/${method}`).write(request(method, 1), END)
      await call.answered
      expect(call.ends).toEqual(['unimplemented'])
    }
    expect(site.errors).toEqual(Array.from({ length: 5 }, () => 'unimplemented'))
    await expectWorking(raw.session)
  })

  test('thousands of paths and methods that are made up leave nothing behind', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    for (let n = 0; n < 2500; n += 50) {
      const calls = Array.from({ length: 50 }, (_, i) => {
        const method = `echo/${n + i}`
        const call = new RawCall(raw.session, `/${method}`).write(request(method, 1), END)
        call.stream.end()
        return call
      })
      for (const call of calls) {
        await call.answered
        expect(call.ends).toEqual(['unimplemented'])
      }
    }
    await expectWorking(raw.session)
  })
})

describe('a call that goes wrong after its request', () => {
  /** What became of each handler of `talk`. */
  function recording() {
    const outcomes: Promise<unknown>[] = []
    const changed: Partial<Handlers<typeof Echo>> = {
      async *talk(_: void, updates: AsyncIterable<unknown>, { signal }: Context) {
        let settle!: (outcome: unknown) => void
        outcomes.push(
          new Promise((resolve) => {
            settle = resolve
          }),
        )
        const aborted = new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
        aborted.catch(() => {})
        try {
          for await (const update of updates) yield update
          settle('ended')
        } catch (error) {
          settle((error as { code: Code }).code)
          await aborted
        }
      },
    }
    return { outcomes, changed }
  }

  const cases: [what: string, bytes: Uint8Array, code: Code][] = [
    ['garbage', frame('c3a4f6fc00de'), 'invalid_argument'],
    ['an empty message', frame(''), 'invalid_argument'],
    ['a declared length of 2^61 - 1', head(2n ** 61n - 1n), 'resource_exhausted'],
    ['a control item that is none', frame('8304616160', true), 'invalid_argument'],
    ['the responses of a server: a message over its limit', head(17n * BigInt(MiB)), 'resource_exhausted'],
  ]

  test.each(cases)('%s ends it with an error on both sides', async (_, bytes, code) => {
    const { outcomes, changed } = recording()
    await using site = await underAttack({}, changed)
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/talk').write(request('echo/talk', undefined), message('first'))
    expect(await call.next()).toBe('first')
    call.write(bytes)
    await call.answered
    expect(call.ends).toEqual([code])
    expect(await outcomes[0]).toBe(code)
    call.stream.end()
    expect(await call.closed).toBe(constants.NGHTTP2_NO_ERROR)
    await expectWorking(raw.session)
  })

  test.each([
    ['a message after the end', Buffer.concat([END, message(1)]), 'ended'],
    ['two ends', Buffer.concat([END, END]), 'ended'],
    ['an end and an error', Buffer.concat([END, signal('status', 'aborted')]), 'ended'],
    ['an error and a message', Buffer.concat([signal('status', 'aborted'), message(1)]), 'aborted'],
  ])('%s ends it with an error, whatever its handler makes of the end', async (_, bytes, outcome) => {
    const { outcomes, changed } = recording()
    await using site = await underAttack({}, changed)
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/talk').write(request('echo/talk', undefined), message('first'))
    expect(await call.next()).toBe('first')
    call.write(bytes)
    await call.answered
    expect(call.ends).toEqual(['invalid_argument'])
    expect(await outcomes[0]).toBe(outcome)
    await expectWorking(raw.session)
  })

  test('a message that comes when both halves have ended resets the stream, and no more', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const call = new RawCall(raw.session, '/echo/talk').write(request('echo/talk', undefined), END)
    await call.answered
    expect(call.ends).toEqual(['end'])
    call.write(message(1))
    expect(await call.closed).toBe(constants.NGHTTP2_CANCEL)
    await expectWorking(raw.session)
  })

  test('a second request of a unary call is refused: as bytes that are no message, or as a message too many', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    for (const second of [request('echo/wait', undefined), message(undefined)]) {
      const atOnce = new RawCall(raw.session, '/echo/wait').write(request('echo/wait', undefined), second)
      await atOnce.answered
      const later = new RawCall(raw.session, '/echo/wait').write(request('echo/wait', undefined))
      await expectWorking(raw.session)
      later.write(second)
      await later.answered
      for (const call of [atOnce, later]) expect([call.messages, call.ends]).toEqual([[], ['invalid_argument']])
    }
    // The one that is not told of has reached a handler, whose signal it aborts.
    expect(site.errors).toEqual(['invalid_argument', 'invalid_argument', 'invalid_argument'])
  })

  test('stop, again and again, and before the request, is no more than a stop', async () => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const stops = Array.from({ length: 1000 }, () => signal('stop', 'cancelled'))
    const call = new RawCall(raw.session, '/echo/talk')
    call.write(...stops, request('echo/talk', undefined), ...stops, END)
    call.stream.end()
    await call.answered
    expect([call.messages, call.ends]).toEqual([[], ['end']])
    await expectWorking(raw.session)
  })
})

describe('a valid call that is cut off at any byte', () => {
  const whole = Buffer.concat([request('echo/talk', undefined), message({ a: 1 }), END])
  const requestSize = request('echo/talk', undefined).length
  const cancelled = Buffer.concat([request('echo/talk', undefined), signal('cancel', 'cancelled')])

  /** How the handlers of `talk` ended, each by its updates and its signal. */
  function recorder() {
    const ended: { updates: unknown; reason: unknown }[] = []
    let onEnded = (): void => {}
    const changed: Partial<Handlers<typeof Echo>> = {
      async *talk(_: void, updates: AsyncIterable<unknown>, { signal }: Context) {
        yield 'started'
        const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        let outcome: unknown = 'ended'
        try {
          for await (const _ of updates);
        } catch (error) {
          outcome = (error as { code: Code }).code
          await stopped
        }
        ended.push({ updates: outcome, reason: (signal.reason as { code: Code } | undefined)?.code })
        onEnded()
      },
    }
    const settled = async (count: number): Promise<void> => {
      while (ended.length < count)
        await new Promise<void>((resolve) => {
          onEnded = resolve
        })
    }
    return { ended, settled, changed }
  }

  test('by the end of the stream: unavailable on both sides', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    await using raw = await rawSession(site.address)
    for (const bytes of [whole, cancelled]) {
      for (let size = 0; size < bytes.length; size++) {
        const call = new RawCall(raw.session, '/echo/talk').write(bytes.subarray(0, size))
        call.stream.end()
        await call.answered
        expect([size, call.ends]).toEqual([size, ['unavailable']])
        if (size < requestSize) continue
        await settled(1)
        expect(ended).toEqual([{ updates: 'unavailable', reason: 'unavailable' }])
        ended.length = 0
      }
    }
    expect(site.errors).toEqual([])
    await expectWorking(raw.session)
  })

  test('by a reset: the code of the reset at the handler', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    // node:http2 would end the stream first, and then reset it.
    await using raw = await RawSocket.connect(site.port)
    raw.write(PREFACE)
    let id = -1
    for (const bytes of [whole, cancelled]) {
      for (let size = 0; size < bytes.length; size++) {
        id += 2
        raw.write(
          http2Frame(FRAME.headers, END_HEADERS, id, requestFields('/echo/talk')),
          http2Frame(FRAME.data, 0, id, bytes.subarray(0, size)),
        )
        if (size >= requestSize) await raw.frame(({ type, stream }) => type === FRAME.data && stream === id)
        raw.write(http2Frame(FRAME.rstStream, 0, id, uint32(constants.NGHTTP2_CANCEL)))
        if (size < requestSize) continue
        await settled(1)
        expect(ended).toEqual([{ updates: 'cancelled', reason: 'cancelled' }])
        ended.length = 0
      }
    }
    expect(site.errors).toEqual([])
    expect(raw.codes(FRAME.goaway)).toEqual([])
  })

  test('by the loss of the connection: unavailable at the handler', async () => {
    const { ended, settled, changed } = recorder()
    await using site = await underAttack({}, changed)
    for (let size = 0; size < whole.length; size++) {
      const raw = await rawSession(site.address)
      const call = new RawCall(raw.session, '/echo/talk').write(whole.subarray(0, size))
      if (size >= requestSize) await call.next()
      raw.session.destroy()
      await raw.closed
      if (size < requestSize) continue
      await settled(1)
      expect(ended).toEqual([{ updates: 'unavailable', reason: 'unavailable' }])
      ended.length = 0
    }
    expect(site.errors).toEqual([])
  })
})

describe('CBOR bombs are refused with less than 50 ms of CPU each', () => {
  const u32 = (size: number): string => size.toString(16).padStart(8, '0')
  const many = (item: string, count: number): string => item.repeat(count)
  const bombs: [what: string, hex: string][] = [
    ['a bignum of 200 kB', `c25a${u32(200_000)}${many('ff', 200_000)}`],
    ['a negative bignum of 200 kB', `c35a${u32(200_000)}${many('ff', 200_000)}`],
    ['bignums without end', `9a${u32(100_000)}${many('c2420101', 100_000)}`],
    ['arrays 100,000 deep', `${many('81', 100_000)}80`],
    ['objects 100,000 deep', `${many('a16161', 100_000)}a0`],
    ['a MiB of empty maps', `9a${u32(MiB)}${many('a0', MiB)}`],
    ['two million items', `9a${u32(2_000_000)}${many('00', 2_000_000)}`],
    ['a declared array of 2^32 - 1', '9affffffff'],
    ['a declared map of 2^64 - 1', 'bbffffffffffffffff'],
    ['a declared text of 2^32 - 1', '7affffffff61'],
    ['declared arrays inside each other', many('9affffffff', 60)],
    ['an indefinite array', '9f00ff'],
    ['a RegExp (tag 27)', 'd81b8266526567457870635e612b'],
    ['a constructor (tag 27)', 'd81b826b636f6e7374727563746f7201'],
    ['a cycle (tags 28, 29)', 'd81c81d81d00'],
    ['a reference to nothing (tag 29)', 'd81d00'],
    ['a record (tag 0xdff9)', 'd9dff98361611901008101'],
    ['a record (tag 0xdfff)', 'd9dfff8219010081616101'],
    ['a record (tag 105)', 'd8698301816161 01'.replace(' ', '')],
    ['packed values (tag 51)', 'd833828101c6 00'.replace(' ', '')],
    ['a packed reference (tag 6)', 'c600'],
    ['bundled strings (tag 14)', 'ce820061 61'.replace(' ', '')],
    ['bundled strings (tag 15)', 'cf8200 6161'.replace(' ', '')],
    ['a key __proto__', 'a1695f5f70726f746f5f5fa1616101'],
    ['keys that are objects', `ba${u32(100_000)}${many('a000', 100_000)}`],
    ['a date beyond time', 'c1fb7fefffffffffffff'],
  ]

  test.each(bombs)('%s, as a request, an update, a header or an error', async (_, hex) => {
    await using site = await underAttack()
    await using raw = await rawSession(site.address)
    const text = (value: string): string => (0x60 + value.length).toString(16) + Buffer.from(value).toString('hex')
    const start = request('echo/talk', undefined)
    const attempts = [
      [frame(`81${text('echo/talk')}${hex}`)],
      [start, frame(hex)],
      [frame(`83${text('echo/talk')}f6${hex}01`)],
      [start, frame(`8500${text('aborted')}6060${hex}`, true)],
    ]
    for (const bytes of attempts) {
      await expectCheap(async () => {
        const call = new RawCall(raw.session, '/echo/talk').write(...bytes)
        await call.answered
        expect(call.ends).toEqual(['invalid_argument'])
        call.stream.end()
      })
    }
    await expectWorking(raw.session)
  })
})
