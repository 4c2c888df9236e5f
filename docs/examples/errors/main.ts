import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { read, write } from './client.ts'
import { Disk } from './contract.ts'
import { diskHandlers } from './server.ts'

const memory = createMemoryTransport()
const listener = await listenHttp2()
const http2 = { listener, connector: connectHttp2(listener.addresses[0] ?? '') }

for (const [name, { listener, connector }] of Object.entries({ memory, http2 })) {
  console.log(`\nover ${name}`)
  const onError = (error: unknown) => console.log('the server logs:', String(error))
  await using _server = serve(Disk, diskHandlers(20), listener, { onError })
  await using disk = createClient(Disk, connector)
  console.log(await write(disk, 'a', 'some text'))
  console.log(await write(disk, 'b', 'a text that is longer'))
  console.log(await write(disk, 'README', ''))
  console.log(await write(disk, 'c/d', ''))
  for await (const line of read(disk, ['a', 'b', 'README', 'EJECT', 'a'])) console.log(line)
}
