import type { Client } from '@qrpc/core'
import type { Tried } from '../contract.ts'
import type { Random } from '../engine/random.ts'

type Calls = Client<typeof Tried>

const SIZES = [0, 1, 30, 5000, 30_000]

/** Makes calls, whatever the answers are. On a lane they are several, of one message each way. */
export function callSome(client: Calls, random: Random, onLane: boolean): Promise<unknown>[] {
  if (!onLane) return [random.pick([echo, sum, count, talk, tell])(client, random)]
  return Array.from({ length: random.between(1, 6) }, () => random.pick([echo, echo, tell, given])(client, random))
}

function echo(client: Calls, random: Random): Promise<unknown> {
  return client.echo(messageOf(random))
}

function tell(client: Calls, random: Random): Promise<unknown> {
  return client.tell(messageOf(random))
}

/** A call that its caller gives up. */
function given(client: Calls, random: Random): Promise<unknown> {
  const abort = new AbortController()
  if (random.oneIn(2)) setImmediate(() => abort.abort())
  else queueMicrotask(() => abort.abort())
  return client.wait(undefined, { signal: abort.signal })
}

async function sum(client: Calls, random: Random): Promise<unknown> {
  return client.sum(0, updates(random))
}

async function count(client: Calls, random: Random): Promise<unknown> {
  let left = random.between(0, 5)
  for await (const _item of client.count(2)) if (left-- === 0) break
  return undefined
}

async function talk(client: Calls, random: Random): Promise<unknown> {
  const call = client.talk(messageOf(random), updates(random))
  let left = random.between(0, 5)
  for await (const _item of call) if (left-- === 0) call.cancel()
  return undefined
}

async function* updates(random: Random): AsyncGenerator<unknown> {
  for (let left = random.between(0, 3); left > 0; left--) yield messageOf(random)
}

function messageOf(random: Random): unknown {
  return new Uint8Array(random.pick(SIZES))
}
