import { describe, expect, test } from 'vitest'
import { makeCertificates } from './certificates.ts'
import { connectEcho } from './service.ts'

const { ca, server } = await makeCertificates()

describe.each([
  ['on a lane', {}, {}],
  ['on streams, as the client wants it', {}, { lanes: false }],
  ['on streams, as the server wants it', { lanes: false }, {}],
])('%s', (_, listening, connecting) => {
  test('5,000 calls at once against a limit of 100 wait in line, and all are answered', async () => {
    let running = 0
    let most = 0
    await using echo = await connectEcho(
      { tls: server, maxConcurrentStreams: 100, ...listening },
      { tls: { ca }, ...connecting },
      {
        async echo(n) {
          most = Math.max(most, ++running)
          await new Promise(setImmediate)
          running--
          return n
        },
      },
    )
    const numbers = Array.from({ length: 5000 }, (_unused, n) => n)
    expect(await Promise.all(numbers.map((n) => echo.client.echo(n)))).toEqual(numbers)
    expect(most).toBeLessThanOrEqual(100)
    expect(most).toBeGreaterThan(10)
  })

  test('unary and streaming calls go side by side', async () => {
    await using echo = await connectEcho({ tls: server, ...listening }, { tls: { ca }, ...connecting })
    const talk = echo.client.talk()
    for (let n = 0; n < 50; n++) {
      expect(await echo.client.echo(n)).toBe(n)
      await talk.send(n)
      expect(await talk.receive()).toBe(n)
    }
    talk.end()
    expect(await talk.receive()).toBeUndefined()
  })
})
