import { MessageChannel } from 'node:worker_threads'
import { describeTransport } from '@qrpc/conformance'
import { connectPort } from './connect-port.ts'
import { WINDOW } from './port-channel.ts'
import { PortListener } from './port-listener.ts'

describeTransport('message ports', {
  setup(options) {
    let listener = new PortListener()
    const makePort = () => {
      const { port1, port2 } = new MessageChannel()
      listener.add(port2)
      return port1
    }
    const restart = () => {
      listener = new PortListener()
      return listener
    }
    return { connector: connectPort(makePort, options), listener, restart }
  },
  // What the reader has taken is told half a window at a time.
  capabilities: { window: WINDOW, guaranteedWindow: WINDOW / 2, restart: true, maxConcurrentStreams: true },
})
