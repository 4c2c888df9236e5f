import { message, type PeerClient, SMALL } from '../peers/peer.ts'
import { able, type ClientSite, expectEqual } from './workload.ts'

/** Things that are opened in great number and stay open, and what they cost. */
export interface Population {
  readonly title: string
  readonly needs: 'echo' | 'converse'
  /** What is counted. */
  readonly unit: 'streams/s' | 'connections/s'
  /** How many, in a run of ordinary length. */
  readonly count: number
  /** Opens one; it has carried a message each way. @returns What keeps it open. */
  readonly open: (site: ClientSite) => Promise<unknown>
}

/** How many are opened at a time. */
export const ABREAST = 50

const small = message(SMALL)

/** The workloads that ask for memory, by the name that `--workload` takes. */
export const populations: Readonly<Record<string, Population>> = {
  'open-streams': {
    title: '10,000 streams open at a time on one connection, a message each way on each',
    needs: 'converse',
    unit: 'streams/s',
    count: 10_000,
    async open({ client }) {
      const conversation = able(client, 'converse')()
      await conversation.send(small)
      expectEqual('bytes of a message', (await conversation.receive())?.length ?? 0, SMALL)
      return conversation
    },
  },
  'open-connections': {
    title: '500 connections open at a time, a call on each',
    needs: 'echo',
    unit: 'connections/s',
    count: 500,
    async open({ connect }) {
      const client: PeerClient = await connect()
      expectEqual('bytes of an echo', (await client.echo(small)).length, SMALL)
      return client
    },
  },
}
