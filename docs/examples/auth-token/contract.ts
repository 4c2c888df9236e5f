import { clientStreaming, serverStreaming, service, unary } from '@qrpc/core'

/** Who calls, as the server sees it. */
export interface User {
  readonly name: string
  /** What the user may do. */
  readonly scopes: readonly string[]
}

/** Notes that belong to their users. */
export const Notes = service('notes', {
  /** Who the caller is, for any token that is valid. */
  whoAmI: unary<void, User>(),
  /** The caller's notes. Needs the scope `read`. */
  list: serverStreaming<void, string>(),
  /** Adds notes, and tells how many there are then. Needs the scope `write`. */
  add: clientStreaming<void, string, number>(),
})
