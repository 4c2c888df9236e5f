import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Starts a server in a process of its own, which ends with this one. @returns The address that it tells. */
export async function startServer(script: URL, options: object = {}): Promise<string> {
  const child = fork(script, [JSON.stringify(options)])
  const [address] = (await once(child, 'message')) as [string]
  return address
}
