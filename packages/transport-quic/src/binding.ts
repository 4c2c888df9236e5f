import type { Quiche } from '@matrixai/quic/native/quiche.js'
import { RpcError } from '@qrpc/core'

export type { Config, Connection as QuicheConnection, Host as HostPort, RecvInfo } from '@matrixai/quic/native/types.js'
export type { Quiche }

let loading: Promise<Quiche> | undefined

/**
 * The quiche binding, loaded when it is first needed: it is native code that is not there for every platform.
 *
 * @throws RpcError (as a rejection) `unimplemented` where there is none.
 */
export function loadBinding(): Promise<Quiche> {
  loading ??= import('@matrixai/quic/native/index.js').then(
    ({ quiche }) => quiche,
    (error: unknown) => {
      loading = undefined
      throw new RpcError(
        'unimplemented',
        `@matrixai/quic has no native binding for ${process.platform} ${process.arch}: QUIC works on linux x64, darwin and win32 x64`,
        { cause: error },
      )
    },
  )
  return loading
}
