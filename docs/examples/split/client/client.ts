import { type Client, createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { Notes } from 'split-types'

/** Connects with the first call. Close it by `await using`. */
export function connectNotes(address: string): Client<typeof Notes> & AsyncDisposable {
  return createClient(Notes, connectHttp2(address))
}
