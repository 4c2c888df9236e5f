import { createClient, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { waitForJob } from './client.ts'
import { Jobs } from './contract.ts'
import { countPrimes } from './primes.ts'
import { JobQueue } from './queue.ts'
import { jobHandlers } from './server.ts'

await using server = serve(Jobs, jobHandlers(new JobQueue(), countPrimes), await listenHttp2())
await using jobs = createClient(Jobs, connectHttp2(server.addresses[0] ?? ''))

const [small, large, third] = await Promise.all([10, 100_000_000, 100_000].map((upTo) => jobs.submit({ upTo })))
if (small === undefined || large === undefined || third === undefined) throw new Error('three were submitted')
console.log('small:', await waitForJob(jobs, small.id))
console.log('third:', await waitForJob(jobs, third.id, (status) => console.log(status)))
await jobs.cancel(large)
console.log('large:', await waitForJob(jobs, large.id))

for await (const status of jobs.run({ upTo: 100_000_000 })) {
  console.log(status)
  // Leaving the loop cancels the job.
  if (status.state === 'running' && status.progress > 0) break
}
