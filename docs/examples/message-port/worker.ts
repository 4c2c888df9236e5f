import { type MessagePort, parentPort } from 'node:worker_threads'
import { type Handlers, serve } from '@qrpc/core'
import { Primes } from './contract.ts'
import { PortListener } from './port-listener.ts'

const handlers: Handlers<typeof Primes> = {
  *upTo(most) {
    for (let n = 2; n <= most; n++) if (isPrime(n)) yield n
  },
  async count(_, updates) {
    let count = 0
    for await (const n of updates) if (isPrime(n)) count++
    return count
  },
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n > 1
}

const listener = new PortListener()
serve(Primes, handlers, listener)
parentPort?.on('message', (port: MessagePort) => listener.add(port))
