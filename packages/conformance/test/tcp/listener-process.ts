import { relayListener } from '@qrpc/conformance/relay'
import { listenTcp } from './tcp-listener.ts'

relayListener(({ addresses }) => listenTcp(addresses?.[0]))
