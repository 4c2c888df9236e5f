import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { FrameReader, packed } from '../src/peers/framing.ts'
import { HandFed } from '../src/peers/hand-fed.ts'
import { message } from '../src/peers/peer.ts'
import { Child } from '../src/run/child.ts'
import type { ClientOrder, ServerOrder } from '../src/run/orders.ts'
import { installedSize } from '../src/sizes/installed.ts'

const SOON_MS = 15_000
const settings = { host: '127.0.0.1', tls: { ca: '', key: '', cert: '' } }

test('a process tells what went wrong, and goes on', async () => {
  using child = new Child<ServerOrder>('server-process')
  await expect(child.tell({ order: 'serve', peer: 'nobody', settings }, SOON_MS)).rejects.toThrow(
    'there is no peer "nobody"',
  )
  await expect(child.tell({ order: 'serve', peer: 'comlink', settings }, SOON_MS)).rejects.toThrow('has no server')
  expect(await child.tell<number>({ order: 'memory' }, SOON_MS)).toBeGreaterThan(1024 * 1024)
})

test('a process that ends fails the order, and those that follow', async () => {
  using child = new Child<ServerOrder>('server-process')
  await child.tell({ order: 'memory' }, SOON_MS)
  const order = child.tell({ order: 'memory' }, SOON_MS)
  child.kill()
  await expect(order).rejects.toThrow('the process ended with SIGKILL')
  await expect(child.tell({ order: 'memory' }, SOON_MS)).rejects.toThrow('the process ended with SIGKILL')
})

test('a process that does not answer in time is ended', async () => {
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const address = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`
  using child = new Child<ClientOrder>('client-process')
  await child.tell({ order: 'memory' }, SOON_MS)
  const order = child.tell({ order: 'connect', peer: 'capnweb-ws', address, settings }, 300)
  await expect(order).rejects.toThrow('no end after 0.3 s')
  silent.close()
})

test('frames are read however they are cut', () => {
  const buffers = [...packed(message(20), 2000)]
  const bytes = Buffer.concat(buffers)
  for (const size of [1, 7, 1000, bytes.length]) {
    let got = 0
    const reader = new FrameReader(({ length }) => {
      got += length
    })
    // The same memory again and again, as a socket's reader would do it.
    const chunk = Buffer.alloc(size)
    for (let at = 0; at < bytes.length; at += size) reader.read(chunk.subarray(0, bytes.copy(chunk, 0, at, at + size)))
    expect(got).toBe(2000 * 20)
  }
})

test('a hand-fed iterable makes its feeder wait', async () => {
  const items = new HandFed<number>()
  const waits = Array.from({ length: 20 }, (_, i) => items.push(i))
  expect(waits.findIndex((wait) => wait !== undefined)).toBe(15)
  items.end()
  const taken: number[] = []
  for await (const item of items) taken.push(item)
  expect(taken).toEqual(Array.from({ length: 20 }, (_, i) => i))
  await Promise.all(waits.filter((wait) => wait !== undefined))
})

test('what is installed is counted with all that it depends on, once', () => {
  const from = import.meta.dirname
  const ws = installedSize(['ws'], from)
  expect(ws.packages).toBe(1)
  const grpc = installedSize(['@grpc/grpc-js'], from)
  expect(grpc.packages).toBeGreaterThan(5)
  expect(installedSize(['ws', '@grpc/grpc-js', 'ws'], from)).toEqual({
    packages: ws.packages + grpc.packages,
    bytes: ws.bytes + grpc.bytes,
  })
})
