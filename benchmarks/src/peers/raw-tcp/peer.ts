import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { parseAddress } from '../../network/address.ts'
import { Inbox } from '../framing.ts'
import { message, type Peer } from '../peer.ts'
import { type Frame, Wire } from './wire.ts'

/** The server's side of a connection. */
function answer(wire: () => Wire): (frame: Frame) => void {
  const uploads = new Map<number, number>()
  return ([id, pattern, body]) => {
    if (pattern === 'download') {
      void download(wire(), id, body as { count: number; size: number })
    } else if (pattern !== 'upload') {
      void wire().send(id, pattern, body)
    } else if (body === undefined) {
      void wire().send(id, pattern, uploads.get(id) ?? 0)
      uploads.delete(id)
    } else {
      uploads.set(id, (uploads.get(id) ?? 0) + (body as Uint8Array).length)
    }
  }
}

async function download(wire: Wire, id: number, { count, size }: { count: number; size: number }): Promise<void> {
  const body = message(size)
  for (let n = 0; n < count; n++) {
    const wait = wire.send(id, 'download', body)
    if (wait !== undefined) await wait
  }
  void wire.send(id, 'download', undefined)
}

const peer: Peer = {
  async serve({ host }) {
    const server = createServer((socket) => {
      const wire: Wire = new Wire(
        socket,
        answer(() => wire),
      )
    })
    server.listen(0, host)
    await once(server, 'listening')
    return `${host}:${(server.address() as AddressInfo).port}`
  },
  async connect(address) {
    const { host, port } = parseAddress(address)
    const socket = connect(port, host)
    await once(socket, 'connect')
    const calls = new Map<number, (body: unknown) => void>()
    const wire = new Wire(socket, ([id, , body]) => calls.get(id)?.(body))
    let ids = 0
    /** Resolves with what `onBody` returns once it returns something. */
    const start = <T>(onBody: (body: unknown) => T | undefined): { id: number; done: Promise<T> } => {
      const id = ++ids
      const done = new Promise<T>((resolve) => {
        calls.set(id, (body) => {
          const result = onBody(body)
          if (result === undefined) return
          calls.delete(id)
          resolve(result)
        })
      })
      return { id, done }
    }
    return {
      echo(body) {
        const { id, done } = start((answered) => answered as Uint8Array)
        void wire.send(id, 'echo', body)
        return done
      },
      download(count, size) {
        let bytes = 0
        const { id, done } = start((body) => {
          if (body === undefined) return bytes
          bytes += (body as Uint8Array).length
          return undefined
        })
        void wire.send(id, 'download', { count, size })
        return done
      },
      async upload(count, body) {
        const { id, done } = start((answered) => answered as number)
        for (let n = 0; n < count; n++) await wire.send(id, 'upload', body)
        void wire.send(id, 'upload', undefined)
        return done
      },
      converse() {
        const inbox = new Inbox()
        const { id } = start((body) => (body === undefined ? inbox.end() : inbox.put(body as Uint8Array)))
        return {
          send: (body) => wire.send(id, 'converse', body),
          receive: () => inbox.take(),
          end: () => void wire.send(id, 'converse', undefined),
        }
      },
      close: () => wire.close(),
    }
  },
}
export default peer
