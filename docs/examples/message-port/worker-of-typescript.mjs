// Node.js 20 runs no TypeScript, in a worker no less: a worker of plain JavaScript needs nothing of this.
import { register } from 'tsx/esm/api'

register()
await import('./worker.ts')
