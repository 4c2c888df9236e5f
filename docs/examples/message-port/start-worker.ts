import { MessageChannel, Worker } from 'node:worker_threads'
import type { StatefulConnector } from '@qrpc/core'
import { connectPort } from './connect-port.ts'

/** A worker thread, and a connector to the listener in it. */
export function startWorker(): { readonly worker: Worker; readonly connector: StatefulConnector } {
  const worker = new Worker(new URL('./worker-of-typescript.mjs', import.meta.url), {
    execArgv: ['--conditions=@qrpc/source'],
  })
  const connector = connectPort(() => {
    const { port1, port2 } = new MessageChannel()
    worker.postMessage(port2, [port2])
    return port1
  })
  return { worker, connector }
}
