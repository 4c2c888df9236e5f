import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Conditions } from './conditions.ts'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('../../link/link.py', import.meta.url))

/** Of a link that many have at home. */
export const LINK_MBIT_PER_S = 100
/** Where servers are, at the far end of a link. */
export const LINK_SERVER = '10.213.71.2'

/** Two network namespaces with a link between them that delays and loses packets. Linux only, and root's. */
export interface Link {
  /** What a process is started with to be at either end. */
  readonly clientPrefix: readonly string[]
  readonly serverPrefix: readonly string[]
  readonly serverHost: string
  close(): Promise<void>
}

const namespaces = new Set<string>()
process.on('exit', () => {
  for (const name of namespaces) removeNow(name)
})

/** @returns Nothing where it takes rights or tools that are not there. */
export async function startLink({ roundTripMs, loss }: Conditions): Promise<Link | undefined> {
  const id = `qb${process.pid}`
  const [near, far] = [`${id}a`, `${id}b`] as const
  let carrier: ChildProcess | undefined
  const close = async (): Promise<void> => {
    if (carrier?.kill() === true && carrier.exitCode === null) await once(carrier, 'exit')
    for (const name of [near, far]) {
      if (namespaces.delete(name)) await run('ip', ['netns', 'delete', name])
    }
  }
  try {
    for (const name of [near, far]) {
      await run('ip', ['netns', 'add', name])
      namespaces.add(name)
    }
    const oneWay = String(roundTripMs / 2)
    carrier = spawn('python3', [SCRIPT, near, near, far, far, oneWay, String(loss), String(LINK_MBIT_PER_S)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await isUp(carrier)
  } catch {
    await close()
    return undefined
  }
  const prefix = (name: string): string[] => ['ip', 'netns', 'exec', name]
  return { clientPrefix: prefix(near), serverPrefix: prefix(far), serverHost: LINK_SERVER, close }
}

/** @throws Error (as a rejection) when the process ends before it says that the link is up. */
async function isUp(carrier: ChildProcess): Promise<void> {
  if (carrier.stdout === null) throw new Error('the link has no output')
  const lines = createInterface(carrier.stdout)
  await new Promise<void>((resolve, reject) => {
    carrier.once('error', reject)
    carrier.once('exit', () => reject(new Error('the link did not come up')))
    lines.once('line', () => resolve())
  })
}

function removeNow(name: string): void {
  try {
    execFileSync('ip', ['netns', 'delete', name])
  } catch {
    // Nothing is left to be done about it: the process ends.
  }
}
