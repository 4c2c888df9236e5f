import { type Interceptor, RpcError } from '@qrpc/core'

/** Gets a token, from a login server as a rule. */
export type GetToken = () => Promise<string>

/**
 * Sends a token with each call: one for all of them, until the server refuses it. A call without updates is then made
 * again with a new one. That is safe for any method, because a call that was refused so has reached no handler.
 */
export function bearerToken(getToken: GetToken): Interceptor {
  let current: Promise<string> | undefined
  // Calls side by side that fail with the same token ask for one new token, not for one each.
  const forget = (used: Promise<string>): void => {
    if (current === used) current = undefined
  }
  return async (call, next) => {
    for (let attempt = 1; ; attempt++) {
      current ??= getToken()
      const used = current
      used.catch(() => forget(used))
      call.metadata.set('authorization', `Bearer ${await used}`)
      try {
        return await next(call)
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== 'unauthenticated') throw error
        forget(used)
        if (attempt > 1 || call.updates !== undefined) throw error
      }
    }
  }
}
