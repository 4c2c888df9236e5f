import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Inbox } from '../framing.ts'
import { message, type Peer } from '../peer.ts'

interface Call {
  readonly id: number
  readonly body: Uint8Array
}
/** A stream has a channel of its own; its port comes with the order. */
interface StreamOrder {
  readonly port: MessagePort
  readonly pattern: 'converse' | 'download' | 'upload'
  readonly count: number
  readonly size: number
}

function serve(calls: MessagePort): void {
  calls.on('message', (order: Call | StreamOrder) => {
    if ('port' in order) stream(order)
    else calls.postMessage(order)
  })
}

function stream({ port, pattern, count, size }: StreamOrder): void {
  if (pattern === 'download') {
    const body = message(size)
    for (let n = 0; n < count; n++) port.postMessage(body)
    port.postMessage(undefined)
    return
  }
  let bytes = 0
  port.on('message', (body: Uint8Array | undefined) => {
    if (pattern === 'converse') port.postMessage(body)
    else if (body === undefined) port.postMessage(bytes)
    else bytes += body.length
  })
}

const peer: Peer = {
  async connect() {
    const { port1: calls, port2: server } = new MessageChannel()
    const waiting = new Map<number, (body: Uint8Array) => void>()
    let ids = 0
    serve(server)
    calls.on('message', ({ id, body }: Call) => {
      waiting.get(id)?.(body)
      waiting.delete(id)
    })
    const open = (pattern: StreamOrder['pattern'], count = 0, size = 0): MessagePort => {
      const { port1, port2 } = new MessageChannel()
      calls.postMessage({ port: port2, pattern, count, size }, [port2])
      return port1
    }
    return {
      echo: (body) =>
        new Promise((resolve) => {
          waiting.set(++ids, resolve)
          calls.postMessage({ id: ids, body })
        }),
      download: (count, size) =>
        new Promise((resolve) => {
          const port = open('download', count, size)
          let bytes = 0
          port.on('message', (body: Uint8Array | undefined) => {
            if (body !== undefined) bytes += body.length
            else resolve(bytes)
            if (body === undefined) port.close()
          })
        }),
      upload: (count, body) =>
        new Promise((resolve) => {
          const port = open('upload')
          port.once('message', (bytes: number) => {
            resolve(bytes)
            port.close()
          })
          for (let n = 0; n < count; n++) port.postMessage(body)
          port.postMessage(undefined)
        }),
      converse() {
        const port = open('converse')
        const inbox = new Inbox()
        port.on('message', (body: Uint8Array | undefined) => (body === undefined ? inbox.end() : inbox.put(body)))
        return {
          send: (body) => port.postMessage(body),
          receive: () => inbox.take(),
          end: () => port.postMessage(undefined),
        }
      },
      close: () => calls.close(),
    }
  },
}
export default peer
