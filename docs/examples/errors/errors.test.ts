import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from '../demo/certificate.ts'
import { read, write } from './client.ts'
import { Disk } from './contract.ts'
import { diskHandlers } from './server.ts'

const TRANSPORTS = {
  memory: async () => createMemoryTransport(),
  async 'HTTP/2'() {
    const listener = await listenHttp2()
    return { listener, connector: connectHttp2(listener.addresses[0] ?? '') }
  },
  async QUIC() {
    const tls = await makeCertificate()
    const listener = await listenQuic({ tls })
    return { listener, connector: connectQuic(listener.addresses[0] ?? '', { tls: { ca: tls.cert } }) }
  },
}

describe.each(Object.entries(TRANSPORTS))('over %s', (_, open) => {
  /** A server, what it logs, and a client. */
  async function start() {
    const { listener, connector } = await open()
    const logged: unknown[] = []
    const server = serve(Disk, diskHandlers(20), listener, { onError: (error) => logged.push(error) })
    const disk = createClient(Disk, connector)
    return {
      disk,
      logged,
      async [Symbol.asyncDispose]() {
        await disk[Symbol.asyncDispose]()
        await server.close()
      },
    }
  }

  test('errors that are declared come with their data', async () => {
    await using bed = await start()
    expect(await write(bed.disk, 'a', 'some text')).toBe('a: written')
    expect(await write(bed.disk, 'b', 'a text that is longer')).toBe('b: there is room for 11 characters')
    expect(await write(bed.disk, 'README', '')).toBe('README: cannot be written')
    await expect(bed.disk.write({ name: 'README', text: '' })).rejects.toMatchObject({ code: 'permission_denied' })
    expect(bed.logged).toEqual([])
  })

  test('a bug is internal, and nobody outside hears more of it', async () => {
    await using bed = await start()
    const error: unknown = await bed.disk.write({ name: 'c/d', text: '' }).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'internal', message: 'internal error' })
    expect(String(error)).not.toContain('/srv/disk-7')
    expect(bed.logged).toEqual([new TypeError('no directory for c/d in /srv/disk-7')])
  })

  test('an item that fails ends nothing, and an error of the call comes behind what was read', async () => {
    await using bed = await start()
    await write(bed.disk, 'a', 'some text')
    const lines: string[] = []
    for await (const line of read(bed.disk, ['a', 'b', 'a', 'EJECT', 'a'])) lines.push(line)
    expect(lines).toEqual(['a: some text', 'b: missing', 'a: some text', 'after 3: ejected'])
  })

  test('a call can fail before its first item', async () => {
    await using bed = await start()
    const many = Array.from({ length: 101 }, (_, i) => `file ${i}`)
    await expect(bed.disk.readAll(many).started).rejects.toMatchObject({ name: 'TooMany', data: { most: 100 } })
    const lines: string[] = []
    for await (const line of read(bed.disk, many)) lines.push(line)
    for await (const line of read(bed.disk, [''])) lines.push(line)
    expect(lines).toEqual(['at once: no more than 100 at a time', 'at once: invalid_argument'])
  })
})

test('with no server there is an error of the call, too', async () => {
  const { connector, listener } = createMemoryTransport()
  await listener.close()
  await using disk = createClient(Disk, connector)
  expect(await write(disk, 'a', '')).toBe('a: unavailable')
})
