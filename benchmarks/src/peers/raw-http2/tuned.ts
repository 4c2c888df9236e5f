import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Bytes that may be on the way: the defaults of `node:http2` make a download six times as slow. */
export const WINDOWS = { stream: 4 * 1024 * 1024, connection: 16 * 1024 * 1024 }

/** Writes all, as fast as they are taken, and ends the stream. */
export async function send(stream: Writable, buffers: Iterable<Uint8Array>): Promise<void> {
  for (const buffer of buffers) {
    if (!stream.write(buffer)) await once(stream, 'drain')
  }
  stream.end()
}
