import { createContextKey, type Handlers, type Interceptor, RpcError } from '@qrpc/core'
import type { Notes, User } from './contract.ts'

const Caller = createContextKey<User | undefined>('caller', undefined)

const SCOPES: ReadonlyMap<string, string | undefined> = new Map([
  ['notes/whoAmI', undefined],
  ['notes/list', 'read'],
  ['notes/add', 'write'],
])

/** Lets nobody through without a valid token, and tells the handlers whose it is. */
export function authenticate(verify: (token: string) => Promise<User>): Interceptor {
  return async (call, next) => {
    const [scheme, token] = String(call.metadata.get('authorization') ?? '').split(' ')
    if (scheme?.toLowerCase() !== 'bearer' || token === undefined) {
      throw new RpcError('unauthenticated', 'a token is needed: authorization: Bearer ...')
    }
    call.values.set(Caller, await verify(token))
    return next(call)
  }
}

/** Lets those through who may call the method. A method that is not in the list is nobody's. */
export const authorize: Interceptor = (call, next) => {
  const scope = SCOPES.get(call.method)
  if (!SCOPES.has(call.method) || (scope !== undefined && !caller(call).scopes.includes(scope))) {
    throw new RpcError('permission_denied', scope === undefined ? 'nobody may' : `this needs the scope "${scope}"`)
  }
  return next(call)
}

function caller({ values }: Pick<Parameters<Interceptor>[0], 'values'>): User {
  const user = values.get(Caller)
  if (user === undefined) throw new Error('there is no authenticate() before the handler')
  return user
}

/** The handlers know the user, and nothing of tokens. */
export function notesHandlers(): Handlers<typeof Notes> {
  const notes = new Map<string, string[]>()
  return {
    whoAmI: (_, context) => caller(context),

    async *list(_, context) {
      yield* notes.get(caller(context).name) ?? []
    },

    async add(_, updates, context) {
      const { name } = caller(context)
      const own = notes.get(name) ?? []
      notes.set(name, own)
      for await (const note of updates) own.push(note)
      return own.length
    },
  }
}
