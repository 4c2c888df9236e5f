import { bidiStreaming, clientStreaming, notify, type Schema, serverStreaming, service, type, unary } from '@qrpc/core'

/** Refuses numbers below 0, without a schema library. */
const natural: Schema<number> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) =>
      typeof value === 'number' && value >= 0
        ? { value }
        : { issues: [{ message: 'must be a number of 0 or more', path: [] }] },
  },
}

const Inner = service('inner', { echo: unary<number, number>() })

/** What the cases call. A case gives the handlers that it needs. */
export const Kit = service('kit', {
  call: unary<number, number>(),
  any: unary<unknown, unknown>(),
  nothing: unary(),
  collect: clientStreaming<number, number, number>(),
  produce: serverStreaming<number, number>(),
  voids: serverStreaming<number, void>(),
  talk: bidiStreaming<number, number, number>(),
  tell: notify<number>(),
  declared: unary({
    request: type<string>(),
    response: type<void>(),
    errors: {
      NotFound: type<{ key: string }>(),
      Full: { code: 'resource_exhausted', data: type<{ limit: number }>() },
    },
  }),
  checked: unary({ request: natural, response: type<number>() }),
  checkedUpdates: clientStreaming({ update: natural, response: type<number>() }),
  inner: service('middle', { inner: Inner }),
})

export type KitContract = typeof Kit
