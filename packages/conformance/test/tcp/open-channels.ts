import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { RpcError } from '@qrpc/core'
import type { TcpChannel } from './tcp-channel.ts'

/** The channels of a connector or listener, and the sockets that carry or carried them. */
export class OpenChannels {
  readonly #channels = new Set<TcpChannel>()
  readonly #sockets = new Set<Socket>()
  readonly #whenNone = new Set<() => void>()

  addSocket(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  add(channel: TcpChannel): void {
    if (!channel.over) this.#channels.add(channel)
  }

  delete(channel: TcpChannel): void {
    this.#channels.delete(channel)
    if (this.#channels.size > 0) return
    for (const resolve of this.#whenNone) resolve()
    this.#whenNone.clear()
  }

  /** Lets the channels go on for some time, cuts off those that are left, and waits for the sockets to close. */
  async close(graceMs: number, errorHere: RpcError, errorThere: RpcError): Promise<void> {
    if (this.#channels.size > 0 && graceMs > 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#whenNone.add(resolve)
        timer = setTimeout(resolve, graceMs)
      })
      clearTimeout(timer)
    }
    for (const channel of this.#channels) channel.sever(errorHere, errorThere)
    await Promise.all([...this.#sockets].map((socket) => once(socket, 'close')))
  }
}
