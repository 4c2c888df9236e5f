import * as core from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { callOver } from './calls.mjs'

await callOver(core, 'mem', createMemoryTransport())
