import { createClient } from '@qrpc/core'
import { Primes } from './contract.ts'
import { startWorker } from './start-worker.ts'

const { worker, connector } = startWorker()
const client = createClient(Primes, connector)

for await (const prime of client.upTo(1_000_000)) {
  console.log(prime)
  if (prime > 20) break
}
console.log(await client.count(undefined, [7, 8, 9, 10, 11]), 'of them are prime')

await connector.close()
await worker.terminate()
