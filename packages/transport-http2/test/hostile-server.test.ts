import { once } from 'node:events'
import type { ServerHttp2Session } from 'node:http2'
import type { Code } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { END, frame, head, message, request, signal } from '../../wire/test/support/wire-bytes.ts'
import { type Answer, bytes, misledClient, OK, open } from './misled-client.ts'

const MiB = 1024 * 1024

describe('a response that breaks the format fails its call; the session lives', () => {
  const cases: [what: string, answer: Answer, code: Code][] = [
    ['garbage', bytes(frame('c3a4f6fc00de'), END), 'invalid_argument'],
    ['garbage on a stream that stays open', open(frame('c3a4f6fc00de')), 'invalid_argument'],
    ['an empty message', bytes(frame(''), END), 'invalid_argument'],
    ['a declared length of 2^61 - 1', open(head(2n ** 61n - 1n)), 'resource_exhausted'],
    ['a message over maxMessageSize', open(head(1025n)), 'resource_exhausted'],
    ['a status over maxMessageSize', open(head(1025n, true)), 'resource_exhausted'],
    ['a request instead of a response', bytes(request('echo/echo', 1), END), 'invalid_argument'],
    ['an end without a response', bytes(END), 'unavailable'],
    ['two responses', bytes(message(1), message(2), END), 'internal'],
    ['two responses on a stream that stays open', open(message(1), message(2)), 'internal'],
    ['a response after the end', bytes(END, message(1)), 'unavailable'],
    ['a status that is none', open(frame('8304616160', true)), 'invalid_argument'],
    ['a status of a code that there is not', bytes(frame('830063666f6f6178', true)), 'unknown'],
    ['a status, and no more', open(signal('status', 'not_found')), 'not_found'],
    ['a cancel', open(signal('cancel', 'aborted')), 'aborted'],
    ['a reset in the format', open(signal('reset', 'data_loss')), 'data_loss'],
    ['a bomb', open(frame(`9a00100000${'a0'.repeat(MiB)}`)), 'resource_exhausted'],
    ['a small bomb', open(frame('d81b8266526567457870635e612b')), 'invalid_argument'],
    ['nothing, and the end of the stream', bytes(), 'unavailable'],
    ['half a response, and the end of the stream', bytes(message('a text').subarray(0, 3)), 'unavailable'],
    ['a response without its end, and the end of the stream', bytes(message('a text')), 'unavailable'],
  ]

  test.each(cases)('%s', async (_, answer, code) => {
    await using at = await misledClient({ maxMessageSize: 1024, closeTimeoutMs: 20 })
    at.answerWith(answer)
    await expectStatus(at.rpc.echo(1), code)
    await expectStatus(at.rpc.echo(new Uint8Array(1000)), code)
    await at.expectGood()
    expect(at.sessions).toBe(1)
  })

  test.each(cases.filter(([what]) => !/two responses|an end without|after the end/.test(what)))(
    'in a stream of responses: %s',
    async (_, answer, code) => {
      await using at = await misledClient({ maxMessageSize: 1024, closeTimeoutMs: 20 })
      at.answerWith(answer)
      const responses = (async () => {
        for await (const _ of at.rpc.count(1));
      })()
      await expectStatus(responses, code)
      await at.expectGood()
      expect(at.sessions).toBe(1)
    },
  )

  test('a response that comes before the request was read is the response', async () => {
    await using at = await misledClient()
    at.answerWith((stream) => {
      stream.pause()
      stream.respond(OK)
      stream.end(Buffer.concat([message('early'), END]))
    })
    expect(await at.rpc.echo(1)).toBe('early')
    expect(await at.rpc.echo(new Uint8Array(8 * MiB))).toBe('early')
  })

  test('responses without end to a call that wants one fail it, and are not kept', async () => {
    await using at = await misledClient({ closeTimeoutMs: 20 })
    const closed: Promise<unknown>[] = []
    at.answerWith((stream) => {
      closed.push(once(stream, 'close'))
      stream.respond(OK)
      const chunk = Buffer.concat(Array.from({ length: 1000 }, () => message('more')))
      const more = (): boolean => !stream.destroyed && stream.write(chunk, more as () => void)
      more()
    })
    await expectStatus(at.rpc.echo(1), 'internal')
    await at.expectGood()
    await closed[0]
  })

  test('responses without end that nobody reads stay with the server', async () => {
    await using at = await misledClient()
    let written = 0
    at.answerWith((stream) => {
      stream.respond(OK)
      const chunk = message(new Uint8Array(16_000))
      const more = (): void => {
        written += chunk.length
        if (!stream.destroyed) stream.write(chunk, more)
      }
      more()
    })
    const call = at.rpc.count(1)
    await call.started
    let before = -1
    at.answerWith(undefined)
    while (before !== written) {
      before = written
      for (let n = 0; n < 20; n++) await at.rpc.echo(1)
    }
    expect(written).toBeLessThan(12 * MiB)
    call.cancel()
  })
})

describe('an answer that is not of a qrpc server', () => {
  const answers: [status: number, type: string, code: Code][] = [
    [200, 'text/html', 'unknown'],
    [200, 'application/grpc', 'unknown'],
    [204, 'application/qrpc+cbor', 'unknown'],
    [301, 'text/html', 'unknown'],
    [400, 'text/html', 'internal'],
    [401, 'text/html', 'unauthenticated'],
    [403, 'text/html', 'permission_denied'],
    [404, 'text/html', 'unimplemented'],
    [405, 'text/html', 'unknown'],
    [415, 'text/html', 'unknown'],
    [429, 'text/html', 'unavailable'],
    [500, 'text/html', 'unknown'],
    [502, 'text/html', 'unavailable'],
    [503, 'text/html', 'unavailable'],
    [504, 'text/html', 'unavailable'],
    [502, 'application/qrpc+cbor', 'unavailable'],
  ]

  test.each(answers)('%d %s is %s', async (status, type, code) => {
    await using at = await misledClient()
    const text = status === 200 ? type : String(status)
    for (const ends of [true, false]) {
      at.answerWith((stream) => {
        stream.respond({ ':status': status, 'content-type': type }, { endStream: ends && status === 204 })
        if (status === 204) return
        stream.write('<html>sorry</html>')
        if (ends) stream.end()
      })
      await expectStatus(at.rpc.echo(1), code, text)
    }
    at.answerWith((stream) => stream.respond({ ':status': status, 'content-type': type }, { endStream: true }))
    await expectStatus(at.rpc.echo(1), code, text)
    await at.expectGood()
    expect(at.sessions).toBe(1)
  })

  test('thousands of them do not cost the session', async () => {
    await using at = await misledClient()
    at.answerWith((stream) => {
      stream.respond({ ':status': 503 })
      stream.end('sorry')
    })
    for (let n = 0; n < 2000; n += 50) {
      const calls = Array.from({ length: 50 }, () => expectStatus(at.rpc.echo(1), 'unavailable', '503'))
      await Promise.all(calls)
    }
    await at.expectGood()
    expect(at.sessions).toBe(1)
  })

  test('informational answers before the response are passed over', async () => {
    await using at = await misledClient()
    at.answerWith((stream) => {
      for (let n = 0; n < 100; n++) stream.additionalHeaders({ ':status': 103, link: '<a>' })
      bytes(message('late'), END)(stream, stream.session as ServerHttp2Session)
    })
    expect(await at.rpc.echo(1)).toBe('late')
  })
})
