import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'

/** A WebSocket server on any port. */
export async function listenWebSocket(host: string): Promise<{ server: WebSocketServer; address: string }> {
  const server = new WebSocketServer({ port: 0, host })
  await once(server, 'listening')
  return { server, address: `ws://${host}:${(server.address() as AddressInfo).port}` }
}

export async function openWebSocket(address: string): Promise<WebSocket> {
  const socket = new WebSocket(address)
  await once(socket, 'open')
  return socket
}
