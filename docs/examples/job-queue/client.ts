import { type CallOptions, type Client, RpcError } from '@qrpc/core'
import type { Jobs, Status } from './contract.ts'

export type JobsClient = Client<typeof Jobs>

/**
 * Waits until a job is over, through lost connections: it is the same job, by its id.
 *
 * @param onStatus Hears each status on the way.
 * @throws RpcError `NotFound`; `cancelled` when the signal aborts; `unavailable` after five tries in a row that gave nothing.
 */
export async function waitForJob(
  jobs: JobsClient,
  id: string,
  onStatus: (status: Status) => void = () => {},
  options?: CallOptions,
): Promise<Status> {
  for (let tries = 5; ; tries--) {
    try {
      let last: Status | undefined
      for await (const status of jobs.watch({ id }, options)) {
        last = status
        tries = 5
        onStatus(status)
      }
      if (last !== undefined) return last
    } catch (error) {
      // The connector waits longer before each attempt, so this loop does not have to.
      if (!(error instanceof RpcError) || error.code !== 'unavailable' || tries <= 1) throw error
    }
  }
}
