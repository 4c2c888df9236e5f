import { createClient, serve } from '@qrpc/core'
import { blobHandlers } from '../blob-store/server.ts'
import { BlobStore } from '../blob-store/store.ts'
import { computeHandlers } from '../compute/server.ts'
import { ingestPhase, readBackPhase, refusalPhase } from './blob-phases.ts'
import { computePhase } from './compute-phase.ts'
import { Node } from './contract.ts'
import type { InputFile } from './input.ts'
import type { Tally } from './tally.ts'
import type { DemoTransport } from './transports.ts'

/** Serves both services over a transport, with the blobs in `directory`, and runs all phases against them. */
export async function run(
  transport: DemoTransport,
  directory: string,
  files: readonly InputFile[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  const store = await BlobStore.open(directory)
  const { connector, listener } = await transport.start()
  await using _server = serve(Node, { compute: computeHandlers, blobs: blobHandlers(store) }, listener)
  await using client = createClient(Node, connector, { interceptors: [tally.countCalls] })
  for (const phase of [computePhase, ingestPhase, readBackPhase, refusalPhase]) {
    try {
      await phase({ client, files, tally, options: { signal } })
    } catch (error) {
      signal.throwIfAborted()
      tally.fail(phase.name, error)
    }
  }
}
