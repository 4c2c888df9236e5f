import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Starts so many servers, each in a process of its own that ends with this one. @returns Their addresses. */
export function startServers(count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, startServer))
}

async function startServer(): Promise<string> {
  const source = fileURLToPath(new URL('./server-process.ts', import.meta.url))
  const child = fork(source.replace(/\.ts$/, extname(import.meta.filename)))
  const [address] = (await once(child, 'message')) as [string]
  return address
}
