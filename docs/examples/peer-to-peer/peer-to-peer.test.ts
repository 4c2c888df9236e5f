import { createClient } from '@qrpc/core'
import { connectQuic } from '@qrpc/transport-quic'
import { expect, test } from 'vitest'
import { Gossip } from './contract.ts'
import { createIdentity, fingerprintOf, NODE } from './identity.ts'
import { GossipNode } from './node.ts'

// In one process: nodes have nothing in common but what goes through their sockets.
async function start(): Promise<GossipNode> {
  return GossipNode.start(await createIdentity())
}

function introduce(one: GossipNode, other: GossipNode): void {
  one.addPeer(other.contact)
  other.addPeer(one.contact)
}

test('what one node sets goes from node to node, and the last value counts at all of them', async () => {
  await using first = await start()
  await using second = await start()
  await using third = await start()
  await using fourth = await start()
  introduce(first, second)
  introduce(second, third)
  introduce(third, fourth)
  introduce(fourth, first)

  first.set('colour', 'red')
  await third.entries.until('colour', 'red')
  third.set('colour', 'blue')
  await Promise.all([first, second, fourth].map((node) => node.entries.until('colour', 'blue')))
  expect(third.entries.get('colour')).toBe('blue')
})

test('nodes that set the same key at the same time agree', async () => {
  await using one = await start()
  await using other = await start()
  one.set('colour', 'red')
  other.set('colour', 'blue')
  introduce(one, other)
  await Promise.all([one.catchUp(), other.catchUp()])
  const later = one.fingerprint > other.fingerprint ? 'red' : 'blue'
  expect([one.entries.get('colour'), other.entries.get('colour')]).toEqual([later, later])
})

test('a node that was away catches up with what it has missed', async () => {
  await using first = await start()
  await using second = await start()
  introduce(first, second)
  const values = Array.from({ length: 100 }, (_, i) => `value ${i}`)
  for (const value of values) first.set(`the ${value}`, value)
  await Promise.all(values.map((value) => second.entries.until(`the ${value}`, value)))
  await using late = await start()
  introduce(second, late)
  await late.catchUp()
  expect(values.map((value) => late.entries.get(`the ${value}`))).toEqual(values)
})

test('a node calls from the socket at which it can be called', async () => {
  await using one = await start()
  await using other = await start()
  introduce(one, other)
  const { address } = one.contact
  expect(await one.peer(other.fingerprint).whoAmI()).toEqual({ fingerprint: one.fingerprint, address })
  expect(await other.peer(one.fingerprint).whoAmI()).toEqual({
    fingerprint: other.fingerprint,
    address: other.contact.address,
  })
})

test('nobody is let in with a certificate that is not known, or without one', async () => {
  await using node = await start()
  await using friend = await start()
  introduce(node, friend)
  await using stranger = await start()
  stranger.addPeer(node.contact)
  await expect(stranger.peer(node.fingerprint).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })

  const { address, cert } = node.contact
  await using connector = connectQuic(address, { tls: { ca: cert, serverName: NODE } })
  await expect(createClient(Gossip, connector).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })
  expect((await friend.peer(node.fingerprint).whoAmI()).fingerprint).toBe(friend.fingerprint)
})

test('a node talks to none that shows another certificate than the one it was told', async () => {
  await using node = await start()
  await using impostor = await start()
  const { cert } = await createIdentity()
  node.addPeer({ address: impostor.contact.address, cert })
  impostor.addPeer(node.contact)
  await expect(node.peer(fingerprintOf(cert)).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })
})

test('a peer that is removed may do nothing, over the connection that it has or another one', async () => {
  await using node = await start()
  await using former = await start()
  introduce(node, former)
  await former.peer(node.fingerprint).whoAmI()
  await node.removePeer(former.fingerprint)
  await expect(former.peer(node.fingerprint).whoAmI()).rejects.toMatchObject({ code: 'permission_denied' })
  await former.removePeer(node.fingerprint)
  former.addPeer(node.contact)
  await expect(former.peer(node.fingerprint).whoAmI()).rejects.toMatchObject({ code: 'unavailable' })
})
