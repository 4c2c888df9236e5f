import { relayListener } from '@qrpc/conformance/relay'
import { listenPairs } from './pair-listener.ts'

if (process.env.EXIT_CODE !== undefined) process.exit(Number(process.env.EXIT_CODE))
relayListener(listenPairs)
