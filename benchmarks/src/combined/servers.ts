import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts so many servers, each in a process of its own that ends with this one. @returns Their addresses. */
export function startServers(count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, startServer))
}

async function startServer(): Promise<string> {
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
  const child = fork(fileURLToPath(new URL(`./server-process.${extension}`, import.meta.url)))
  const [address] = (await once(child, 'message')) as [string]
  return address
}
