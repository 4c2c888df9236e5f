import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { parseAddress } from './address.ts'
import type { Conditions } from './conditions.ts'
import { DelayLine } from './delay-line.ts'

/** Bytes that may be under way each way: far more than the windows of what is measured. */
const MAX_UNDER_WAY = 64 * 1024 * 1024

/** Puts a distance between the clients of a server and the server. @returns Where clients find it now. */
export async function relayTcp(address: string, { roundTripMs, loss }: Conditions): Promise<string> {
  if (loss > 0) throw new Error('a relay cannot lose what TCP has already acknowledged')
  const { scheme, host, port } = parseAddress(address)
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true })
    carry(near, far, Math.floor(roundTripMs / 2))
    carry(far, near, Math.ceil(roundTripMs / 2))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `${scheme}127.0.0.1:${(server.address() as AddressInfo).port}`
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  let underWay = 0
  const line = new DelayLine<Buffer | undefined>(delayMs, (chunk) => {
    if (chunk === undefined) {
      to.end()
      return
    }
    to.write(chunk, () => {
      underWay -= chunk.length
      if (underWay < MAX_UNDER_WAY) from.resume()
    })
  })
  from.on('data', (chunk) => {
    underWay += chunk.length
    if (underWay >= MAX_UNDER_WAY) from.pause()
    line.put(chunk)
  })
  from.on('end', () => line.put(undefined))
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (from.errored !== null) line.clear()
  })
}
