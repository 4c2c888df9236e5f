import type { Handlers } from '@qrpc/core'
import { Logs } from './contract.ts'
import type { LogDirectory } from './log-directory.ts'

export function logHandlers(directory: LogDirectory): Handlers<typeof Logs> {
  return {
    async *follow({ file, last }, { signal }) {
      try {
        yield* directory.follow(file, last, signal)
      } catch (error) {
        const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        throw missing ? Logs.follow.error('NotFound', { file }) : error
      }
    },
  }
}
