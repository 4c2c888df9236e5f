import { serverStreaming, service, unary } from '@qrpc/core'

/** A store of settings that services share. */
export const Settings = service('settings', {
  /** The name in the caller's certificate. */
  whoAmI: unary<void, string>(),
  /** A setting; `undefined` when there is none of that name. */
  get: unary<string, string | undefined>(),
  /** All settings. */
  list: serverStreaming<void, readonly [name: string, value: string]>(),
  /** Changes a setting. For those who may. */
  set: unary<readonly [name: string, value: string]>(),
})
