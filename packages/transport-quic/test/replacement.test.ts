import { type Channel, RpcError } from '@qrpc/core'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { expect, test } from 'vitest'
import { makeCertificates } from './certificates.ts'

const CANCELLED = new RpcError('cancelled', 'no longer wanted')

/** Echoes, unless it is told to be deaf: then it no longer reads, and the client has to reset what it has sent half. */
async function answer(channel: Channel): Promise<void> {
  for (let message = await channel.receive(); message !== undefined; message = await channel.receive()) {
    if (message === 'deaf') return
    await channel.send(`${channel.peer.address} ${message as string}`)
  }
  channel.end()
}

// quiche 0.18 loses a part of the connection's window for good with each stream that is cut off.
test('a connection on which 100 streams were cut off is left for another one, once what runs on it is done', async () => {
  const { ca, server } = await makeCertificates()
  await using listener = await listenQuic({ tls: server, maxResets: 1000, streamWindow: 64 * 1024 })
  listener.onChannel((channel) => void answer(channel).catch(() => {}))
  await using connector = connectQuic(listener.addresses[0] as string, { tls: { ca }, closeTimeoutMs: 5 })
  const running = await connector.open()
  await running.send('before')
  const first = await running.receive()
  const left = new Promise<void>((resolve) => connector.observeState((state) => state === 'idle' && resolve()))
  for (let n = 0; n < 100; n++) {
    const channel = await connector.open()
    await channel.send('deaf')
    // More than the window: it stays half sent.
    void channel.send(new Uint8Array(200_000))?.catch(() => {})
    channel.cancel(CANCELLED)
  }
  await left
  const later = await connector.open()
  await later.send('before')
  const second = await later.receive()
  expect(second).toMatch(/ before$/)
  expect(second).not.toBe(first)
  await running.send('after')
  expect(await running.receive()).toBe((first as string).replace('before', 'after'))
  for (const channel of [running, later]) channel.cancel(CANCELLED)
})
