import { service } from '@qrpc/core'
import { Blobs } from '../blob-store/contract.ts'
import { Compute } from '../compute/contract.ts'

/** Both services behind one listener. */
export const Node = service('node', { compute: Compute, blobs: Blobs })
