import { createClient } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { Tried } from '../contract.ts'
import { callAll, GoodServer } from '../good-server.ts'
import { type Recording, record } from './relay.ts'

const PATIENCE_MS = 10_000

/** Connections with calls of each kind, as they should be: with a lane, and without. */
export async function recordSessions(): Promise<Recording[]> {
  const server = new GoodServer(await listenHttp2())
  const recordings: Recording[] = []
  for (const lanes of [true, false]) {
    const recording = await record(server.address, async (address) => {
      await using connector = connectHttp2(address, { lanes })
      await callAll(createClient(Tried, connector), PATIENCE_MS)
    })
    recordings.push(recording)
  }
  await server.close()
  return recordings
}
