import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { Chat } from './contract.ts'
import { chatHandlers } from './server.ts'

await using server = serve(Chat, chatHandlers(), await listenHttp2())
await using chat = createClient(Chat, connectHttp2(server.addresses[0] ?? ''))

using ada = chat.join({ room: 'engines', name: 'Ada' })
console.log(await ada.receive())
using grace = chat.join({ room: 'engines', name: 'Grace' })
console.log(await grace.receive())
await ada.send('Can it weave?')
await grace.send('Only what we order it to.')
for await (const { room, members } of chat.rooms()) console.log(room, members)

grace.end()
for await (const event of ada) {
  console.log('Ada sees', event)
  if (event.kind === 'left') break
}
