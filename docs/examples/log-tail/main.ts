import { appendFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { temporaryDirectory } from '../temporary-directory.ts'
import { Logs } from './contract.ts'
import { LogDirectory } from './log-directory.ts'
import { logHandlers } from './server.ts'

await using directory = await temporaryDirectory()
const log = join(directory.path, 'app.log')
await writeFile(log, 'started\nlistening\n')

await using server = serve(Logs, logHandlers(new LogDirectory(directory.path)), await listenHttp2())
await using logs = createClient(Logs, connectHttp2(server.addresses[0] ?? ''))

// What becomes of the log, a step a line that has arrived.
const steps = [
  () => appendFile(log, 'a request\n'),
  () => rename(log, `${log}.1`).then(() => writeFile(log, 'rotated\n')),
  () => truncate(log).then(() => appendFile(log, 'cut\n')),
]
for await (const item of logs.follow({ file: 'app.log', last: 1 })) {
  console.log(item)
  const step = steps.shift()
  // Leaving the loop ends the call, and with the last one the reading of the file.
  if (step === undefined) break
  await step()
}
