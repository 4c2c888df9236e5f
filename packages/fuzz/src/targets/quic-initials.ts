import { setImmediate as nextTurn } from 'node:timers/promises'
import { makeCertificate } from '../certificate.ts'
import { concat } from '../engine/layout.ts'
import { Random } from '../engine/random.ts'
import { CONNECTION_BUDGET, type Target } from '../engine/target.ts'
import { DATAGRAMS } from '../layouts/datagrams.ts'
import { framesInInitial, InitialPackets } from '../quic/initial-packets.ts'
import { recordDatagrams } from '../quic/sessions.ts'
import { bindUdp, closeUdp } from '../quic/udp.ts'
import { startGoodQuic } from './quic.ts'

const CHOICES_SIZE = 2

/** The first packets of clients with any frames in them, TLS and all, while another client makes its calls. */
export const quicInitials: Target = {
  name: 'quic-initials',
  budget: CONNECTION_BUDGET,
  // Types of frames.
  tokens: [
    '00',
    '01',
    '02',
    '03',
    '06',
    '0600',
    '1c',
    '1d',
    '04',
    '07',
    '08',
    '0f',
    '18',
    '1a',
    '1e',
    '30',
    'bfffffff',
  ].map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
  maxSize: 2000,
  seeds: async () => {
    const recorded = await recordDatagrams(await makeCertificate())
    return recorded.map((input, n) => {
      const [first = new Uint8Array(0)] = DATAGRAMS.split(input)
      return concat([Uint8Array.of(n, 0), framesInInitial(first)])
    })
  },
  async open() {
    const { server, client, port } = await startGoodQuic()
    return {
      async try(input) {
        const random = new Random((input[0] ?? 0) + (input[1] ?? 0) * 256)
        const packets = new InitialPackets()
        const socket = await bindUdp()
        for (let at = CHOICES_SIZE; at < input.length; ) {
          // As a rule all frames are in one packet.
          const size = random.oneIn(4) ? random.between(1, input.length) : input.length
          socket.send(packets.next(input.subarray(at, at + size)), port, '127.0.0.1')
          at += size
          await nextTurn()
        }
        await client.goesOn()
        await closeUdp(socket)
        server.check()
      },
      async close() {
        await client.close()
        await server.close()
      },
    }
  },
}
