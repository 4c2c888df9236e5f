import { serverStreaming, service } from '@qrpc/core'
import { z } from 'zod'

// It becomes a file name on the server: no path, and nothing hidden.
const File = z.string().regex(/^\w[\w.-]*$/, 'not the name of a log')

const LogItem = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('line'), text: z.string() }),
  /** The caller reads more slowly than the log grows: so many lines are not sent. */
  z.object({ kind: z.literal('skipped'), lines: z.number() }),
])
export type LogItem = z.infer<typeof LogItem>

export const Logs = service('logs', {
  /**
   * The last lines of a log, and then each line that is added, until the caller leaves. It stays with the name when the
   * file is rotated or truncated.
   */
  follow: serverStreaming({
    request: z.object({ file: File, last: z.int().min(0).max(1000).default(10) }),
    response: LogItem,
    errors: { NotFound: z.object({ file: File }) },
  }),
})
