import { describeTransport } from '@qrpc/conformance'
import { createPipeTransport } from './pipe-transport.ts'

const WINDOW = 16 * 1024

for (const chunkSize of [1, 7, 64 * 1024]) {
  describeTransport(`channels over pipes that give ${chunkSize} bytes at a time`, {
    setup: ({ maxConcurrentStreams }) => createPipeTransport({ chunkSize, window: WINDOW }, maxConcurrentStreams),
    // A batch of 64 KiB, and both windows, at 2 bytes for the least message.
    capabilities: { window: 80_000, guaranteedWindow: 2_000, restart: true, maxConcurrentStreams: true },
  })
}
