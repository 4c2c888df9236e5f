import { describeTransport, inTwoProcesses } from '@qrpc/conformance'
import { WINDOW } from './tcp/tcp-channel.ts'
import { TcpConnector } from './tcp/tcp-connector.ts'
import { listenTcp } from './tcp/tcp-listener.ts'

const capabilities = { window: WINDOW, restart: true, maxConcurrentStreams: true }

describeTransport('tcp, in one process', {
  async setup({ maxConcurrentStreams }) {
    const listener = await listenTcp()
    const [address] = listener.addresses as [string]
    return {
      connector: new TcpConnector(address, maxConcurrentStreams),
      listener,
      restart: () => listenTcp(address),
    }
  },
  capabilities,
})

describeTransport('tcp, in two processes', {
  ...inTwoProcesses({
    module: new URL('./tcp/listener-process.ts', import.meta.url),
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    connect: ([address], { maxConcurrentStreams }) => new TcpConnector(address as string, maxConcurrentStreams),
  }),
  capabilities: { ...capabilities, kill: true },
})
