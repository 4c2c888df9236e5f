import { createIdentity } from './identity.ts'
import { GossipNode } from './node.ts'

const ada = await GossipNode.start(await createIdentity())
const bob = await GossipNode.start(await createIdentity())
const eve = await GossipNode.start(await createIdentity())

// Ada and Eve know Bob alone.
for (const [one, other] of [
  [ada, bob],
  [bob, eve],
] as const) {
  one.addPeer(other.contact)
  other.addPeer(one.contact)
}
ada.set('colour', 'red')
await eve.entries.until('colour', 'red')
console.log('red has come to Eve')
eve.set('colour', 'blue')
await ada.entries.until('colour', 'blue')
console.log('and blue to Ada, each by way of Bob')

await Promise.all([ada, bob, eve].map((node) => node[Symbol.asyncDispose]()))
