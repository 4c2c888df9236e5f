import { createClient, type Listener, type Server, serve } from '@qrpc/core'
import { blobHandlers } from '../blob-store/server.ts'
import { BlobStore } from '../blob-store/store.ts'
import { computeHandlers } from '../compute/server.ts'
import { ingestPhase, readBackPhase, refusalPhase } from './blob-phases.ts'
import { computePhase } from './compute-phase.ts'
import { Node } from './contract.ts'
import type { InputFile } from './input.ts'
import { Progress } from './progress.ts'
import { count } from './table.ts'
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
  const handlers = { compute: computeHandlers, blobs: blobHandlers(store) }
  const serveNode = (listener: Listener): Server =>
    serve(Node, handlers, listener, { interceptors: tally.serverInterceptors })
  await using started = await transport.start(serveNode, tally)
  await using client = createClient(Node, started.connector, { interceptors: tally.clientInterceptors })
  for (const phase of [computePhase, ingestPhase, readBackPhase, refusalPhase]) {
    try {
      await phase({ client, files, tally, options: { signal } })
    } catch (error) {
      signal.throwIfAborted()
      tally.fail(phase.name, error)
    }
  }
  if (tally.ranTwice > 0) tally.fail('calls ran twice')
  if (tally.carried.size > 1) reportCarriers(tally)
}

function reportCarriers({ transport, carried }: Tally): void {
  using progress = new Progress(`${transport}: carried by`)
  progress.done([...carried].map(([carrier, calls]) => `${carrier} ${count(calls)}`).join(', '))
}
