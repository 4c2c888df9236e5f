import { join } from 'node:path'
import { type Connector, serve } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { Program } from '../program.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Search } from './contract.ts'
import { searchHandlers } from './server.ts'

/** A place where a service runs. Leaving it ends what was started for it. */
export interface Place extends AsyncDisposable {
  readonly connector: Connector
}

/** In this process: messages pass by reference. */
export function inProcess(): Place {
  const { connector, listener } = createMemoryTransport()
  const server = serve(Search, searchHandlers(), listener)
  return placeOf(connector, [server])
}

/** In a child process, at a Unix socket in a directory that only this user can enter. */
export async function inChildProcess(): Promise<Place> {
  const directory = await temporaryDirectory()
  const child = new Program(new URL('serve.ts', import.meta.url), { SOCKET: join(directory.path, 'search.sock') })
  return placeOf(connectHttp2(await child.line()), [child, directory])
}

/** Wherever a server runs already. @param ca The authority that vouches for it. */
export function onMachine(address: string, ca: string): Place {
  return placeOf(connectHttp2(address, { tls: { ca } }), [])
}

function placeOf(connector: Connector, started: readonly AsyncDisposable[]): Place {
  return {
    connector,
    async [Symbol.asyncDispose]() {
      await connector.close()
      for (const each of started) await each[Symbol.asyncDispose]()
    },
  }
}
