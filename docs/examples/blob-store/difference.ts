import { Blobs } from './contract.ts'

/** A name that one of two sides does not have. */
export interface Difference {
  readonly hash: string
  readonly missingAt: 'client' | 'server'
}

/**
 * Merges the server's names with the client's, both in ascending order, and gives those that only one side has.
 * A name from the client settles all that come before it, so the answers keep up with the client.
 *
 * @throws RpcError `OutOfOrder` when the client's names do not ascend.
 */
export async function* difference(
  server: Iterable<string>,
  client: AsyncIterable<string>,
): AsyncGenerator<Difference, void, undefined> {
  const own = server[Symbol.iterator]()
  let mine = own.next()
  let previous = ''
  for await (const hash of client) {
    if (hash <= previous) throw Blobs.sync.error('OutOfOrder', { hash })
    previous = hash
    for (; !mine.done && mine.value < hash; mine = own.next()) yield { hash: mine.value, missingAt: 'client' }
    if (!mine.done && mine.value === hash) mine = own.next()
    else yield { hash, missingAt: 'server' }
  }
  for (; !mine.done; mine = own.next()) yield { hash: mine.value, missingAt: 'client' }
}
